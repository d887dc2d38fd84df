"""One format for every line of the process: ours, Django's and gunicorn's. A line tells what happened, never what was
sent: no body, header, cookie, password or key."""

import re
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger(__name__)

WELL_FORMED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def configure(*, as_json: bool, level: str) -> dict[str, Any]:
    """Set structlog up and return the dictConfig that gives the standard library's records the same shape."""
    before_rendering: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before_rendering,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return standard_library_config(before_rendering, as_json=as_json, level=level)


def standard_library_config(before_rendering: list[Any], *, as_json: bool, level: str) -> dict[str, Any]:
    # Tracebacks without the values of local variables: those may be what somebody sent.
    rendering: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": before_rendering,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
            }
        },
        "handlers": {
            "stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"},
            "nowhere": {"class": "logging.NullHandler"},
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            # Our own line tells every refused request; these would add the path or the Host header as it was sent.
            "django.request": {"level": "ERROR"},
            "django.security": {"handlers": ["nowhere"], "propagate": False},
            "django.server": {"handlers": [], "propagate": True},
            "gunicorn.error": {"handlers": [], "propagate": True},
        },
    }


def request_log(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give each request its id, and tell it in one line."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request_id = chosen_request_id(request)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = get_response(request)
        response["X-Request-ID"] = request_id
        tell = log.debug if request.path_info.startswith(("/health", "/static/")) else log.info
        tell(
            "request",
            method=request.method,
            route=request.resolver_match.route if request.resolver_match else None,
            status=response.status_code,
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
            client=client_name(request),
        )
        return response

    return middleware


def chosen_request_id(request: HttpRequest) -> str:
    """The caller's own id if it is well formed, else a new one."""
    sent = request.headers.get("X-Request-ID", "")
    return sent if WELL_FORMED_REQUEST_ID.fullmatch(sent) else uuid4().hex


def current_request_id() -> str:
    """The id of the request being served; empty outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def client_name(request: HttpRequest) -> str | None:
    """`open`, `staff:<id>`, or None for nobody known."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    return getattr(user, "client_name", None) or f"staff:{user.pk}"
