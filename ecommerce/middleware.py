"""What of Django's middleware a program's request does not need, it passes by."""

import threading
from collections.abc import Callable

from corsheaders.conf import conf
from corsheaders.middleware import CorsMiddleware as OfOrigins
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

FOR_PROGRAMS = ("/api/", "/product/", "/order/")
Handler = Callable[[HttpRequest], HttpResponseBase]


def is_from_a_program(request: HttpRequest) -> bool:
    """Staff may call the same addresses from a page: with the cookie of their session."""
    return not request.META.get("HTTP_COOKIE") and request.path_info.startswith(FOR_PROGRAMS)


class Shortcut(threading.local):
    """What stands between its two ends in MIDDLEWARE is for people: pages, sessions, logins, forms, messages.

    Django sets a chain up from its end, in one thread.
    """

    def ends(self, get_response: Handler) -> Handler:
        self.end = get_response
        return get_response

    def begins(self, get_response: Handler) -> Handler:
        end = self.end

        def middleware(request: HttpRequest) -> HttpResponseBase:
            return end(request) if is_from_a_program(request) else get_response(request)

        return middleware


shortcut = Shortcut()
shortcut_begins, shortcut_ends = shortcut.begins, shortcut.ends


class CorsMiddleware(OfOrigins):
    """Where no other origin is let in there is none; and it reads no headers of a request that names no origin, which
    is all that a program sends."""

    def __init__(self, get_response: Handler) -> None:
        if not (conf.CORS_ALLOWED_ORIGINS or conf.CORS_ALLOW_ALL_ORIGINS):
            raise MiddlewareNotUsed
        super().__init__(get_response)

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if "HTTP_ORIGIN" in request.META:
            return super().add_response_headers(request, response)
        if request._cors_enabled:  # type: ignore[attr-defined]
            patch_vary_headers(response, ["origin"])
        return response
