import hashlib
import json
import re
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.request import Request

REPLAYED = {"Idempotent-Replayed": "true"}
WELL_FORMED_KEY = re.compile(r"[!-~]{1,255}")


class InvalidIdempotencyKey(APIException):
    status_code = 400
    default_code = "invalid_idempotency_key"


def idempotency_key(request: Request) -> str | None:
    """The key of the request, or None where there is none. Raises InvalidIdempotencyKey."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None:
        refuse_malformed(key)
    return key


def refuse_malformed(key: str) -> None:
    if not WELL_FORMED_KEY.fullmatch(key):
        raise InvalidIdempotencyKey


class MissingIdempotencyKey(APIException):
    status_code = 400
    default_code = "missing_idempotency_key"


def required_key(request: Request) -> str:
    """Raises MissingIdempotencyKey, InvalidIdempotencyKey."""
    key = idempotency_key(request)
    if key is None:
        raise MissingIdempotencyKey
    return key


def fingerprint(body: Any, *, contract: str) -> str:
    """SHA-256 (hex) of the body in canonical JSON: tells a retry from another request under the same key."""
    canonical = json.dumps([contract, body], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()
