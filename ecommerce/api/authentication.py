import hashlib
import time
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone
from oauth2_provider.models import AccessToken
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from ecommerce.logging import client_name
from ecommerce.staff import second_factor


@dataclass(frozen=True)
class Caller:
    """Which program calls the API: `client_name` is what the books write, `scopes` is what it may do.

    `requests_per_second` is None where the shop's own limit holds, and 0 where none does.
    """

    client_name: str
    scopes: frozenset[str]
    requests_per_second: int | None = None
    is_authenticated: bool = True


class BearerAuthentication(BaseAuthentication):
    """A client by its access token, which travels in the Authorization header and nowhere else (RFC 6750).

    Whoever sends that header means to be somebody: it is valid, or the call is refused, also where anybody may call.
    """

    def authenticate(self, request: Request) -> tuple[Caller, Any] | None:
        if "HTTP_AUTHORIZATION" not in request.META:
            return None
        scheme, _, secret = request.META["HTTP_AUTHORIZATION"].partition(" ")
        known = known_client(secret.strip()) if scheme.lower() == "bearer" else None
        if known is None:
            raise AuthenticationFailed
        return known

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


KNOWN_AT_MOST = 10_000
# By checksum: until when, by the process's own clock, and whom the database knew.
remembered: dict[str, tuple[float, tuple[Caller, AccessToken]]] = {}


def known_client(secret: str) -> tuple[Caller, AccessToken] | None:
    """Whose token this is. A process remembers it for `TOKEN_MEMORY`, and so for as long does not hear that it was
    revoked, or that its client may do less."""
    checksum = hashlib.sha256(secret.encode()).hexdigest()
    until, known = remembered.get(checksum, (0.0, None))
    if known is not None and time.monotonic() < until:
        return known
    token = valid_token(checksum)
    return remember(checksum, token) if token else None


def remember(checksum: str, token: AccessToken) -> tuple[Caller, AccessToken]:
    client = token.application
    known = Caller(f"app:{client.client_id}", allowed_scopes(token), client.requests_per_second), token
    memory = min(settings.TOKEN_MEMORY, token.expires - timezone.now())
    if len(remembered) >= KNOWN_AT_MOST:
        remembered.clear()
    remembered[checksum] = time.monotonic() + memory.total_seconds(), known
    return known


def valid_token(checksum: str) -> AccessToken | None:
    tokens = AccessToken.objects.filter(token_checksum=checksum, expires__gt=Now(), application__is_active=True)
    return tokens.select_related("application").first()


def allowed_scopes(token: AccessToken) -> frozenset[str]:
    """Those of the token that its client still has."""
    return frozenset(token.scope.split()) & frozenset(token.application.scopes.split())


class CsrfFailed(PermissionDenied):
    default_code = "csrf_failed"


class StaffAuthentication(SessionAuthentication):
    """Staff, by their session in the back office.

    Only a well-formed cookie makes it look: other calls cost no query, and their answers do not vary by cookies.
    """

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        if "HTTP_COOKIE" not in request.META:
            return None
        has_cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "").isalnum()
        user = request._request.user if has_cookie else None
        if user is None or not user.is_staff or not second_factor.is_passed(user):
            return None
        return cast(tuple[Any, None] | None, super().authenticate(request))

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied:
            raise CsrfFailed from None


class OpenCallerAuthentication(BaseAuthentication):
    """Whoever calls what API_OPEN leaves open: all of them are one client."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        contract = getattr(request.parser_context["view"], "contract", None)
        is_open = settings.API_OPEN == "all" or (settings.API_OPEN == "classic" and contract == "classic")
        return (Caller("open", frozenset(settings.SCOPES), requests_per_second=0), None) if is_open else None


def caller(request: Request) -> str:
    """Who calls, as the books name it. Nobody unknown gets past the permission check."""
    return cast(str, client_name(request))


def sees_all_orders(request: Request) -> bool:
    """Whether orders of other clients are shown. Staff see them all: the permission check let them in."""
    if isinstance(request.user, Caller):
        return "orders:read_all" in request.user.scopes
    return request.user is not None
