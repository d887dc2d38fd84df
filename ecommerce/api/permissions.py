from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ecommerce.api.authentication import Caller


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
        if isinstance(request.user, Caller):
            return scope in request.user.scopes
        return request.user.has_perm(permission)
