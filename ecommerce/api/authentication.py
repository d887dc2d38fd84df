import hashlib
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.db.models.functions import Now
from oauth2_provider.models import AccessToken
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


class BearerAuthentication(BaseAuthentication):
    """A client by its access token, which travels in the Authorization header and nowhere else (RFC 6750).

    Whoever sends that header means to be somebody: it is valid, or the call is refused, also where anybody may call.
    """

    def authenticate(self, request: Request) -> tuple[Caller, Any] | None:
        if "Authorization" not in request.headers:
            return None
        scheme, _, secret = request.headers["Authorization"].partition(" ")
        token = valid_token(secret.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise AuthenticationFailed
        return Caller(f"app:{token.application.client_id}", allowed_scopes(token)), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def valid_token(secret: str) -> AccessToken | None:
    checksum = hashlib.sha256(secret.encode()).hexdigest()
    tokens = AccessToken.objects.filter(token_checksum=checksum, expires__gt=Now(), application__isnull=False)
    return tokens.select_related("application").first()


def allowed_scopes(token: AccessToken) -> frozenset[str]:
    """Those of the token that its client still has."""
    return frozenset(token.scope.split()) & frozenset(token.application.scopes.split())


class OpenCallerAuthentication(BaseAuthentication):
    """Whoever calls what API_OPEN leaves open: all of them are one client."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        contract = getattr(request.parser_context["view"], "contract", None)
        is_open = settings.API_OPEN == "all" or (settings.API_OPEN == "classic" and contract == "classic")
        return (Caller("open", frozenset(settings.SCOPES)), None) if is_open else None


def caller(request: Request) -> str:
    """Who calls, as the books name it. Nobody unknown gets past the permission check."""
    return cast(str, client_name(request))
