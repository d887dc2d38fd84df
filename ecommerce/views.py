from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer, TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ecommerce.api.problems import PROBLEMS

WELCOME = {"message": "welcome to e-commerce platform project!"}


class WelcomeView(APIView):
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    renderer_classes = [JSONRenderer, TemplateHTMLRenderer]

    @extend_schema(
        operation_id="welcome",
        summary="Greet",
        description="A browser gets a page with links to the documentation and the back office.",
        tags=["service"],
        responses=OpenApiResponse(OpenApiTypes.OBJECT, examples=[OpenApiExample("welcome", WELCOME)]),
    )
    def get(self, request: Request) -> Response:
        response = Response(WELCOME | {"shop": settings.SHOP_NAME}, template_name="welcome.html")
        if request.accepted_renderer.format == "json":
            response.data = WELCOME
        response["Vary"] = "Accept"
        return response


def problem(request: HttpRequest, code: str) -> HttpResponse:
    """The page behind the `type` of an error."""
    if code not in PROBLEMS:
        raise Http404
    return render(request, "problem.html", {"code": code, "problem": PROBLEMS[code]})
