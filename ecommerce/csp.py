"""What the shop's pages may load (Content-Security-Policy), by where they live."""

from typing import Any

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

BOUNDS: dict[str, Any] = {"base-uri": [NONE], "form-action": [SELF], "frame-ancestors": [NONE], "object-src": [NONE]}
PLAIN = BOUNDS | {"default-src": [NONE], "style-src": [NONCE], "img-src": ["data:"]}
# Both renderers of the documentation style their elements one by one; ReDoc searches in a worker.
DOCUMENTATION = BOUNDS | {
    "default-src": [SELF],
    "script-src": [SELF, NONCE],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "worker-src": ["blob:"],
}
# Unfold's Alpine.js evaluates attributes; pictures of products are addresses anywhere.
BACK_OFFICE = BOUNDS | {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "https:"],
}
PLACES = {"/admin/": BACK_OFFICE, "/docs": DOCUMENTATION, "/redoc": DOCUMENTATION}


class PolicyByPlace(CSPMiddleware):
    """For pages alone: a program has no use for a policy."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only:
            parts.config = next((policy for place, policy in PLACES.items() if request.path.startswith(place)), PLAIN)
        return parts
