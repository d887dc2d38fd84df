from typing import cast

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from ecommerce.logging import client_name


class OpenCaller:
    """Whoever calls an API that API_OPEN leaves open: all of them are one client."""

    client_name = "open"
    is_authenticated = True


class OpenCallerAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[OpenCaller, None] | None:
        contract = getattr(request.parser_context["view"], "contract", None)
        is_open = settings.API_OPEN == "all" or (settings.API_OPEN == "classic" and contract == "classic")
        return (OpenCaller(), None) if is_open else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def caller(request: Request) -> str:
    """Who calls, as the books name it: `open`. Nobody unknown gets past the permission check."""
    return cast(str, client_name(request))
