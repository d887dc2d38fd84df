"""One format for every line of the process: ours, Django's and gunicorn's. A line tells what happened, never what was
sent: no body, header, cookie, password or key."""

import json
import logging
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import orjson
import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from uuid_utils import uuid4

log = structlog.get_logger(__name__)

ROW_OF_AN_ERROR = re.compile(r"^DETAIL:.*?(?=\n\n(?:The above exception|During handling)|\Z)", re.DOTALL | re.MULTILINE)
WELL_FORMED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")


def configure(*, as_json: bool, level: str) -> dict[str, Any]:
    """Set structlog up and return the dictConfig that gives the standard library's records the same shape.

    Our own lines go straight to where those are written to: by way of the standard library one takes twice as long.
    """
    look_for_nothing()
    before_rendering: list[Any] = [
        add_request_id,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[Any] = [
        structlog.processors.format_exc_info,  # plain: local variables may be what somebody sent
        leave_out_rows,
        structlog.processors.JSONRenderer(as_json_line)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty()),
    ]
    structlog.configure(
        processors=[*before_rendering, *rendering],
        logger_factory=LineLogger,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    return standard_library_config(before_rendering, rendering, level=level)


class LineLogger:
    """Writes lines. One that cannot be written, on a disk that is full, stops nobody."""

    def __init__(self, name: str) -> None:
        self.name = name

    def msg(self, line: str) -> None:
        with suppress(OSError, ValueError):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

    debug = info = warning = error = critical = msg


def look_for_nothing() -> None:
    """No line of ours says which function, thread or process it comes from: the optimizations of logging's manual."""
    logging._srcfile = None
    logging.logThreads = logging.logMultiprocessing = logging.logProcesses = False


LOGGERS: dict[str, dict[str, Any]] = {
    "django": {"handlers": [], "propagate": True},
    # Our own line tells every refused request; these would add the path or the Host header as it was sent.
    "django.request": {"level": "ERROR"},
    "django.security": {"handlers": ["nowhere"], "propagate": False},
    # They tell tokens, and what was sent for an id.
    "oauthlib": {"level": "WARNING"},
    "oauth2_provider": {"level": "WARNING"},
    "axes": {"level": "ERROR"},  # ecommerce.staff.lockout tells the same
    "django.server": {"handlers": [], "propagate": True},
    "gunicorn.error": {"handlers": [], "propagate": True, "filters": ["without_request"]},
}


def standard_library_config(before_rendering: list[Any], rendering: list[Any], *, level: str) -> dict[str, Any]:
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
        "loggers": LOGGERS,
        "filters": {"without_request": {"()": lambda: leave_out_request}},
    }


def as_json_line(event: dict[str, Any], *, default: Callable[[Any], Any]) -> str:
    """By orjson, but for what only Python takes for JSON: a number of more than 64 bits, half of a character."""
    try:
        return orjson.dumps(event, default=default).decode()
    except TypeError:
        return json.dumps(event, default=default)


def add_request_id(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    if request_id := REQUEST_ID.get():
        event["request_id"] = request_id
    return event


def leave_out_rows(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL tells the row that broke a constraint, and with it whatever a customer wrote there."""
    if "exception" in event:
        event["exception"] = ROW_OF_AN_ERROR.sub("DETAIL: (left out)", event["exception"])
    return event


def leave_out_request(record: logging.LogRecord) -> logging.LogRecord:
    """gunicorn quotes what it could not read as HTTP."""
    if record.getMessage().startswith("Invalid request"):
        record.msg, record.args = "Refused a request that is not HTTP", ()
    return record


def request_log(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give each request its id, and tell it in one line."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request_id = chosen_request_id(request)
        REQUEST_ID.set(request_id)
        response = get_response(request)
        response["X-Request-ID"] = request_id
        tell_request(request, response, duration=time.perf_counter() - started)
        REQUEST_ID.set("")
        return response

    return middleware


def tell_request(request: HttpRequest, response: HttpResponse, *, duration: float) -> None:
    tell = log.debug if request.path_info.startswith(("/health", "/static/")) else log.info
    tell(
        "request",
        method=request.method,
        route=request.resolver_match.route if request.resolver_match else None,
        status=response.status_code,
        duration_ms=round(duration * 1000, 1),
        client=client_name(request),
    )


def chosen_request_id(request: HttpRequest) -> str:
    """The caller's own id if it is well formed, else a new one."""
    sent = request.META.get("HTTP_X_REQUEST_ID", "")
    return sent if WELL_FORMED_REQUEST_ID.fullmatch(sent) else uuid4().hex


def current_request_id() -> str:
    """The id of the request being served; empty outside of one."""
    return REQUEST_ID.get()


def client_name(request: HttpRequest) -> str | None:
    """`open`, `staff:<id>`, or None for nobody known. Never asks the database who it is."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject):
        user = getattr(request, "_cached_user", None)
    if user is None or not user.is_authenticated:
        return None
    return getattr(user, "client_name", None) or f"staff:{user.pk}"
