import hashlib
import json
import re
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.request import Request

WELL_FORMED_KEY = re.compile(r"[!-~]{1,255}")


class InvalidIdempotencyKey(APIException):
    status_code = 400
    default_code = "invalid_idempotency_key"


def idempotency_key(request: Request) -> str | None:
    """The key of the request, or None where there is none. Raises InvalidIdempotencyKey."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not WELL_FORMED_KEY.fullmatch(key):
        raise InvalidIdempotencyKey
    return key


def fingerprint(body: Any, *, contract: str) -> str:
    """SHA-256 (hex) of the body in canonical JSON: tells a retry from another request under the same key."""
    canonical = json.dumps([contract, body], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()
