from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ecommerce.api import problems
from ecommerce.api.problems import PROBLEMS
from ecommerce.api.renderers import JSONRenderer
from ecommerce.api.throttling import tally_of_address

WELCOME = {"message": "welcome to e-commerce platform project!"}


class PublicPage(APIView):
    """The same address for programs, as JSON, and for browsers, as a page."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    renderer_classes = [JSONRenderer, TemplateHTMLRenderer]
    http_method_names = ["get", "head"]

    def answer(self, request: Request, data: dict[str, Any], *, template: str, **for_people: Any) -> Response:
        if request.accepted_renderer.format == "html":
            data = data | for_people
        return Response(data, template_name=template, headers={"Vary": "Accept"})


class WelcomeView(PublicPage):
    @extend_schema(
        operation_id="welcome",
        summary="Greet",
        description="A browser gets a page with links to the documentation and the back office.",
        tags=["service"],
        responses=OpenApiResponse(OpenApiTypes.OBJECT, examples=[OpenApiExample("welcome", WELCOME)]),
    )
    def get(self, request: Request) -> Response:
        return self.answer(request, WELCOME, template="welcome.html", shop=settings.SHOP_NAME)


class ProblemView(PublicPage):
    """The address that is the `type` of an error."""

    @extend_schema(exclude=True)
    def get(self, request: Request, code: str) -> Response:
        if code not in PROBLEMS:
            raise Http404
        problem = PROBLEMS[code]
        told = {"code": code, "status": problem.status, "title": problem.title, "detail": problem.detail}
        return self.answer(request, told, template="problem.html", classic_status=problem.classic_status)


def limited_by_address(view: Callable[..., HttpResponse], *, of: str) -> Callable[..., HttpResponse]:
    """The view, for as many POSTs a minute as an address may send it."""

    @wraps(view)
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        tally = tally_of_address(request, of=of) if request.method == "POST" else None
        if tally is None:
            return view(request, *args, **kwargs)
        response = problems.throttled(request) if tally.is_exceeded else view(request, *args, **kwargs)
        for name, value in tally.headers().items():
            response[name] = value
        return response

    return limited
