"""The pages of stored checks: what was off, with links to the rows, and the button that asks for another."""

import re
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from ecommerce.admin import NamesWho, ReadOnly, ShopAdmin, staff_name
from orders.models import BooksCheck
from orders.services import ask_for_check

PAGES = {"order": "orders_order", "product": "catalog_product", "stock": "catalog_product"}


@admin.register(BooksCheck)
class BooksCheckAdmin(NamesWho, ReadOnly, ShopAdmin):
    who_column = "asked_by"
    list_display = ("asked_at", "who", "started_at", "finished_at", "fault_count")
    ordering = ("-id",)
    fields = ("who", "asked_at", "started_at", "finished_at", "fault_count")
    change_form_template = "admin/orders/bookscheck/change_form.html"
    list_before_template = "admin/orders/bookscheck/check_now.html"

    def get_urls(self) -> list[URLPattern]:
        now = path("now/", self.admin_site.admin_view(self.now_view), name="orders_bookscheck_now")
        return [now, *super().get_urls()]

    def now_view(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("orders.add_bookscheck"):
            raise PermissionDenied
        ask_for_check(done_by=staff_name(request))
        self.message_user(request, "A worker checks the books within seconds.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:index"))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["fault_table"] = fault_table(kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)


def fault_table(check: BooksCheck) -> dict[str, Any]:
    rows = [[fault["invariant"].replace("_", " "), linked(fault["what"]), fault["detail"]] for fault in check.faults]
    return {"headers": ["What must be true", "Row", "And is not"], "rows": rows}


def linked(what: str) -> str:
    named = re.fullmatch(r"(\w+) ([0-9]+)", what)
    if named is None or named[1] not in PAGES:
        return what
    link = reverse(f"admin:{PAGES[named[1]]}_change", args=[named[2]])
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', link, what)
