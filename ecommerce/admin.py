from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ecommerce.logging import client_name

admin.site.site_header = admin.site.site_title = "Back office"
admin.site.index_title = "The shop"


def staff_name(request: HttpRequest) -> str:
    """Who works here, as the books name them: `staff:<id>`."""
    return client_name(request) or ""


class ReadOnly:
    """Staff look at these rows; only the services write them."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
