"""The one place where an error becomes HTTP: application/problem+json (RFC 9457)."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.api import throttling
from ecommerce.api.parameters import InvalidParameters
from ecommerce.api.renderers import JSONRenderer
from ecommerce.database import is_busy, is_database_fault, name_of, sqlstate_of
from ecommerce.errors import DomainError
from ecommerce.logging import current_request_id

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
MAX_FIELD_ERRORS = 20
RETRY_LATER = {"Retry-After": "1"}  # seconds


@dataclass(frozen=True)
class Problem:
    status: int
    title: str
    detail: str
    classic_status: int | None = None


PROBLEMS = {
    # What was sent
    "parse_error": Problem(
        400,
        "The body is not acceptable JSON",
        "Send UTF-8 JSON without NaN, without a key twice in one object, at most 20 levels deep.",
    ),
    "bad_request": Problem(400, "The request is malformed", "Check the address, the Host header and the parameters."),
    "invalid_idempotency_key": Problem(
        400, "The Idempotency-Key is malformed", "Send 1 to 255 visible ASCII characters, such as a UUID."
    ),
    "missing_idempotency_key": Problem(
        400,
        "An Idempotency-Key is missing",
        "Send one of your own with each new request, and the same one to retry it.",
    ),
    "invalid_if_match": Problem(400, "The If-Match header is malformed", "Send one ETag as it came, or *."),
    "not_recorded": Problem(
        404,
        "No order is recorded under this key",
        "No order is committed under it yet. Retry with the same key, never with a new one: that is always safe.",
    ),
    "not_authenticated": Problem(
        401, "Who are you?", "Send an access token: Authorization: Bearer ... It comes from /o/token/."
    ),
    "authentication_failed": Problem(
        401, "That token is not valid", "It is wrong, revoked or older than an hour. Get another from /o/token/."
    ),
    "permission_denied": Problem(
        403, "You may not do this", "The access token lacks the scope of this call, or the staff user its permission."
    ),
    "csrf_failed": Problem(
        403,
        "The CSRF token is missing or wrong",
        "A call by a session of the back office needs the X-CSRFToken header. Programs send an access token instead.",
    ),
    "not_found": Problem(404, "There is nothing here", "Nothing is found at this address, or it is not yours."),
    "method_not_allowed": Problem(405, "Not with this method", "The Allow header lists the methods of this address."),
    "not_acceptable": Problem(406, "Only JSON is served here", "Leave the Accept header out, or accept JSON."),
    "payload_too_large": Problem(413, "The body is too large", "Send at most 1 MiB."),
    "unsupported_media_type": Problem(415, "Only JSON is read here", "Send Content-Type: application/json, in UTF-8."),
    "invalid": Problem(422, "A field is wrong", "The list of errors says which field and why."),
    "throttled": Problem(
        429, "Too many calls", "Nothing was done. Wait for the seconds that Retry-After says, then try again."
    ),
    # What the shop refuses
    "unknown_product": Problem(
        422, "No such product", "The product does not exist, or is no longer sold.", classic_status=400
    ),
    "order_too_large": Problem(
        422, "The order is too large", "A line or the total is beyond what one order may hold.", classic_status=422
    ),
    "idempotency_mismatch": Problem(
        422, "The key was used for another request", "Retry with the body of the first request, or take a new key."
    ),
    "insufficient_stock": Problem(
        409, "Too little stock", "The shortages list every line that is short. Nothing was taken.", classic_status=400
    ),
    "price_changed": Problem(
        409, "The prices have changed", "The lines as they would be sold now are listed. Order again at that total."
    ),
    "product_twice": Problem(422, "One product in two lines", "Name each product once: its uuid and its sku are one."),
    "stock_moved": Problem(
        409, "The shelf is not what you expected", "The movements since then are listed: look again, and count again."
    ),
    "hold_expired": Problem(
        409,
        "The hold is over",
        "Its units went back on sale. The shortages list those that are gone or no longer sold; where they list "
        "none, that was more than a day ago. Place a new order.",
    ),
    "order_changed": Problem(
        412, "The order has changed", "It is shown as it is now. Decide again, for what it is now."
    ),
    "illegal_move": Problem(409, "The order does not allow this now", "The moves that are legal now are listed."),
    "quantity_not_cancellable": Problem(
        409, "More than the order still holds", "The lines list what can be cancelled."
    ),
    "count_below_committed": Problem(
        409, "Fewer on the shelf than sold", "The orders that hold the units are listed: ship or cancel them first."
    ),
    "sku_taken": Problem(409, "The sku is taken", "Another product has this sku, perhaps an archived one."),
    "product_changed": Problem(
        412, "The product has changed", "Read it again, and send the change for what it is now."
    ),
    "product_in_use": Problem(409, "The product has a history", "It was stocked or sold. Archive it instead."),
    # Imports, in the back office alone
    "variant_taken": Problem(409, "Another variant has these options", "Choose others, or change that product."),
    "import_outdated": Problem(409, "The preview is outdated", "Products changed since. Look at the new preview."),
    "import_not_open": Problem(409, "The import is done or gone already", "Look at it again."),
    "import_has_errors": Problem(409, "Rows have errors", "Mend the file, or import the good rows only."),
    # What went wrong with us
    "server_error": Problem(
        500, "A fault of ours", "It is recorded under this request id. If this was a write, its outcome is unknown."
    ),
    "busy": Problem(
        503, "The shop is busy", "The outcome is unknown. Retry with the same Idempotency-Key: that is always safe."
    ),
    "unavailable": Problem(
        503,
        "The database is away",
        "The outcome is unknown. Retry with the same Idempotency-Key: that is always safe.",
    ),
}


def body_of(code: str, *, status: int, detail: str = "", **more: Any) -> dict[str, Any]:
    problem = PROBLEMS[code]
    return {
        "type": f"/problems/{code}",
        "title": problem.title,
        "status": status,
        "code": code,
        "detail": detail or problem.detail,
        "request_id": current_request_id(),
        **more,
    }


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None for what is a bug: Django logs it and answers through `server_error`."""
    error = as_known(error, context)
    answer_in_json(context["request"])
    if isinstance(error, DomainError):
        return refusal(error, context["view"])
    if isinstance(error, exceptions.ValidationError):
        return answer("invalid", errors=field_errors(error))
    if is_database_fault(error):
        return answer(database_fault(error), headers=RETRY_LATER)
    if isinstance(error, exceptions.APIException):
        return answer(error.default_code, headers=headers_of(error), **getattr(error, "told", {}))
    return None


def answer_in_json(request: Request) -> None:
    """Also where the view would have answered a page, or nothing was acceptable."""
    request.accepted_renderer = JSONRenderer()
    request.accepted_media_type = JSONRenderer.media_type


def as_known(error: Exception, context: dict[str, Any]) -> Exception:
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return refused_stranger(error, context)
    return error


def refused_stranger(error: exceptions.APIException, context: dict[str, Any]) -> exceptions.APIException:
    """Whoever is refused too often from one address reads that instead."""
    tally = throttling.tally_of_address(context["request"], of="strangers")
    if tally is None:
        return error
    context["view"].headers |= tally.headers()
    return exceptions.Throttled() if tally.is_exceeded else error


def answer(code: str, *, status: int | None = None, headers: dict[str, str] | None = None, **more: Any) -> Response:
    status = status or PROBLEMS[code].status
    return Response(body_of(code, status=status, **more), status=status, headers=headers, content_type=MEDIA_TYPE)


def refusal(error: DomainError, view: Any) -> Response:
    """A view may tell more, or in other words, by a method `told`: where in the body that it was sent, for example."""
    problem = PROBLEMS[error.code]
    classic = getattr(view, "contract", None) == "classic"
    status = problem.classic_status if classic and problem.classic_status else problem.status
    told = view.told(error) if hasattr(view, "told") else error.data()
    return answer(error.code, status=status, detail=str(error), **told)


def database_fault(error: BaseException) -> str:
    """The code of the problem."""
    log.warning("database_fault", sqlstate=sqlstate_of(error), error=name_of(error))
    return "busy" if is_busy(error) else "unavailable"


def headers_of(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        is_wrong = isinstance(error, exceptions.AuthenticationFailed)
        headers["WWW-Authenticate"] = challenge + (', error="invalid_token"' if is_wrong else "")
    return headers


def field_errors(error: exceptions.ValidationError) -> list[dict[str, str]]:
    found = list(islice(walk(error.get_full_details(), pointer=""), MAX_FIELD_ERRORS))
    if isinstance(error, InvalidParameters):
        return [{"parameter": entry.pop("pointer").lstrip("/"), **entry} for entry in found]
    return found


def walk(details: Any, *, pointer: str) -> Iterator[dict[str, str]]:
    """DRF nests its errors as the body was nested; a JSON pointer (RFC 6901) says the same in one string."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {"pointer": pointer, "code": details["code"], "message": str(details["message"])}
    elif isinstance(details, dict):
        for name, inner in details.items():
            yield from walk(inner, pointer=pointer if name == "non_field_errors" else f"{pointer}/{name}")
    elif isinstance(details, list):
        of_rows = any(isinstance(inner, dict) and set(inner) != {"message", "code"} for inner in details)
        for index, inner in enumerate(details):
            yield from walk(inner, pointer=f"{pointer}/{index}" if of_rows else pointer)


# Pages, for what fails before or outside a view of the API; most are Django's own.


def page(request: HttpRequest, code: str, *, headers: dict[str, str] | None = None) -> HttpResponse:
    status = PROBLEMS[code].status
    return JsonResponse(body_of(code, status=status), status=status, headers=headers, content_type=MEDIA_TYPE)


def method_not_allowed(request: HttpRequest, allowed: list[str]) -> HttpResponse:
    return page(request, "method_not_allowed", headers={"Allow": ", ".join(allowed)})


def throttled(request: HttpRequest) -> HttpResponse:
    if is_for_people(request):
        return HttpResponse("Too many attempts. Wait a minute.", status=429, content_type="text/plain; charset=utf-8")
    return page(request, "throttled")


def is_for_people(request: HttpRequest) -> bool:
    return request.path_info.startswith("/admin/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_people(request):
        return defaults.bad_request(request, exception)
    return page(request, "payload_too_large" if isinstance(exception, RequestDataTooBig) else "bad_request")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_people(request):
        return defaults.permission_denied(request, exception)
    return page(request, "permission_denied")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_people(request):
        return defaults.page_not_found(request, exception)
    return page(request, "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    if is_for_people(request):
        return defaults.server_error(request)
    error = sys.exc_info()[1]  # of a view that is not DRF's, such as the one for tokens
    if error is not None and is_database_fault(error):
        return page(request, database_fault(error), headers=RETRY_LATER)
    return page(request, "server_error")
