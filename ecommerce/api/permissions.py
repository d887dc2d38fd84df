from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ecommerce.api.authentication import Caller


class HasScope(BasePermission):
    """A view names the scope of each of its actions in `scopes`; an action that is not named is closed to everybody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        action = getattr(view, "action", "")
        if action is None:  # a method that the address does not have, which is for DRF to say
            return True
        needed = getattr(view, "scopes", {}).get(action)
        return isinstance(request.user, Caller) and needed in request.user.scopes
