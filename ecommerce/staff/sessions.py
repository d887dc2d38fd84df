import time
from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

SEEN = "seen"
SECONDS_BETWEEN_WRITES = 300


def keep_alive(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A session ends SESSION_COOKIE_AGE after its last use, give or take the minutes in which it is not written."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        session = getattr(request, "session", None)
        # One that nobody has looked at is not read for this, so answers to programs depend on no cookie.
        if (
            session
            and session.accessed
            and SESSION_KEY in session
            and time.time() - session.get(SEEN, 0) > SECONDS_BETWEEN_WRITES
        ):
            session[SEEN] = int(time.time())
        return response

    return middleware
