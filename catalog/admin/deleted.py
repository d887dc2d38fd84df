"""Products that were deleted: their history is what is left of them, and this list leads to it."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime

from catalog.admin.history import PER_PAGE, HistoryPages
from catalog.forms.products import DeletedForm
from catalog.models import ProductChange
from ecommerce.paginator import CappedPaginator
from ecommerce.people import names_of

HEADERS = ["Product", "SKU", "Price", "Deleted", "By", "Note"]


class DeletedPage(HistoryPages):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.deleted_view)
        return [path("deleted/", view, name="catalog_product_deleted"), *super().get_urls()]

    def deleted_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = DeletedForm(request.GET)
        text = form.cleaned_data["q"] if form.is_valid() else ""
        found = ProductChange.objects.deletions(text).order_by("-pk")
        page = CappedPaginator(found, PER_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Deleted products",
            "form": form,
            "text": text,
            "page": page,
            "table": {"headers": HEADERS, "rows": table_rows(list(page))},
        }
        return render(request, "admin/catalog/product/deleted.html", context)


def table_rows(deletions: Iterable[ProductChange]) -> list[list[Any]]:
    names = names_of(deletion.done_by for deletion in deletions)
    return [
        [
            history_link(deletion),
            deletion.before["sku"],
            deletion.before["price"],
            date_format(localtime(deletion.created_at), "DATETIME_FORMAT"),
            names[deletion.done_by],
            deletion.note,
        ]
        for deletion in deletions
    ]


def history_link(deletion: ProductChange) -> str:
    address = reverse("admin:catalog_product_history", args=[deletion.product_id])
    classes = "text-primary-600 dark:text-primary-500"
    return format_html('<a class="{}" href="{}">{}</a>', classes, address, deletion.before["name"])
