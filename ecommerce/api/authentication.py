from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from oauth2_provider.contrib.rest_framework import OAuth2Authentication
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from ecommerce.logging import client_name


@dataclass(frozen=True)
class Caller:
    """Who calls the API: `client_name` is what the books write, `scopes` is what it may do."""

    client_name: str
    scopes: frozenset[str]
    is_authenticated: bool = True


class BearerAuthentication(OAuth2Authentication):
    """A client by its access token, which travels in the header and nowhere else."""

    def authenticate(self, request: Request) -> tuple[Caller, Any] | None:
        if not request.headers.get("Authorization", "").lower().startswith("bearer "):
            return None
        found = super().authenticate(request)
        if found is None:
            raise AuthenticationFailed
        _, token = found
        return Caller(f"app:{token.application.client_id}", frozenset(token.scope.split())), token


class OpenCallerAuthentication(BaseAuthentication):
    """Whoever calls what API_OPEN leaves open: all of them are one client."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        contract = getattr(request.parser_context["view"], "contract", None)
        is_open = settings.API_OPEN == "all" or (settings.API_OPEN == "classic" and contract == "classic")
        return (Caller("open", frozenset(settings.SCOPES)), None) if is_open else None


def caller(request: Request) -> str:
    """Who calls, as the books name it. Nobody unknown gets past the permission check."""
    return cast(str, client_name(request))
