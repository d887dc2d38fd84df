from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response

HEALTHY = {"status": "healthy"}


@extend_schema(
    operation_id="health",
    summary="Is the process alive?",
    description="Answers without touching the database and whatever the Host header says.",
    tags=["service"],
    responses=OpenApiResponse(OpenApiTypes.OBJECT, examples=[OpenApiExample("healthy", HEALTHY)]),
)
@api_view(["GET", "HEAD"])
@authentication_classes([])
@permission_classes([])
def health(request: Request) -> Response:
    return Response(HEALTHY)


def answer_first(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Probes call by address, not by name: they are answered before the Host header is looked at."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info not in ("/health", "/health/"):
            return get_response(request)
        response: HttpResponse = health(request).render()
        return response

    return middleware
