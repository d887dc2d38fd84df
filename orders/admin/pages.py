from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views import View

from catalog.errors import Shortage
from orders.models import Order


class OrderPage(PermissionRequiredMixin, View):
    """A page of the back office about orders; who may not see it gets 403."""

    permission_required: str | Iterable[str] = "orders.view_order"
    raise_exception = True
    template_name = ""
    title = ""
    request: HttpRequest

    def page(self, *, title: str = "", **context: Any) -> TemplateResponse:
        """The header names the `object` that is given, or else the title."""
        opts = {"opts": Order._meta} if "object" in context else {}
        frame = {**admin.site.each_context(self.request), **opts, "title": title or self.title}
        return TemplateResponse(self.request, self.template_name, frame | context)


def page_of(order_id: int) -> str:
    return reverse("admin:orders_order_change", args=[order_id])


HOLDS = "admin:orders_order_holds"


def in_words(shortages: Iterable[Shortage]) -> str:
    return "; ".join(f"{short.product}: {short.wanted} wanted, {short.available} available" for short in shortages)
