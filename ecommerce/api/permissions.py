from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ecommerce.api.authentication import Caller


class InsufficientScope(PermissionDenied):
    """Known, and not allowed: the answer names the scope that it takes (RFC 6750)."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.told = {"detail": f"The access token lacks the scope {scope}.", "scope": scope}
        self.auth_header = f'Bearer realm="api", error="insufficient_scope", scope="{scope}"'


class HasAccess(BasePermission):
    """A view names in `access`, for each of its actions, the scope that a client needs and the permission that staff
    need. An action that is not named is closed to everybody.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        action = getattr(view, "action", "")
        if action is None:  # a method that the address does not have, which is for DRF to say
            return True
        scope, permission = getattr(view, "access", {}).get(action, (None, None))
        if request.user is None or scope is None:
            return False
        if not isinstance(request.user, Caller):
            return request.user.has_perm(permission)
        if scope not in request.user.scopes:
            raise InsufficientScope(scope)
        return True
