"""Django's middleware for people: a program's request, which has no session and nobody who logs in, passes it by."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware as OfAuthentication
from django.contrib.messages.middleware import MessageMiddleware as OfMessages
from django.contrib.sessions.middleware import SessionMiddleware as OfSessions
from django.http import HttpRequest
from django_otp.middleware import OTPMiddleware as OfSecondFactors

FOR_PROGRAMS = ("/api/", "/product/", "/order/")


def is_from_a_program(request: HttpRequest) -> bool:
    """Staff may call the same addresses from a page: with the cookie of their session."""
    return not request.META.get("HTTP_COOKIE") and request.path_info.startswith(FOR_PROGRAMS)


class ForPeople:
    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if is_from_a_program(request) else super().__call__(request)  # type: ignore[misc]


class SessionMiddleware(ForPeople, OfSessions):
    pass


class AuthenticationMiddleware(ForPeople, OfAuthentication):
    pass


class OTPMiddleware(ForPeople, OfSecondFactors):
    pass


class MessageMiddleware(ForPeople, OfMessages):
    pass
