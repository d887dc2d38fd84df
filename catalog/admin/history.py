"""The history of a product: who changed what, and back to how it was."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse

from catalog.models import MAX_VERSION, Product, ProductChange
from catalog.services import Cause, history, update_product
from catalog.wording import differences_of, told
from ecommerce.admin import REFUSALS, ShopAdmin, sentence, staff_name

PER_PAGE = 50


class HistoryPages(ShopAdmin):
    def get_urls(self) -> list[URLPattern]:
        restore = path(
            "<int:product_id>/history/<int:version>/",
            self.admin_site.admin_view(self.restore_view),
            name="catalog_product_restore",
        )
        return [restore, *super().get_urls()]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        product = self.product_of(request, object_id, or_deleted=True)
        is_deleted = product._state.adding
        changes = product.changes.order_by("-version")
        before = request.GET.get("before", "")
        if before.isascii() and before.isdecimal():
            changes = changes.filter(version__lt=min(int(before), MAX_VERSION))
        rows = told(changes[: PER_PAGE + 1])
        context = {
            "rows": rows[:PER_PAGE],
            "older": rows[PER_PAGE - 1].version if len(rows) > PER_PAGE else None,
            "is_deleted": is_deleted,
            "may_restore": not is_deleted and self.has_change_permission(request, product),
        }
        return self.page(request, product, "history", f"History of {product}", context)

    def restore_view(self, request: HttpRequest, product_id: int, version: int) -> HttpResponse:
        """Asks first, showing what would change; the question is about the product as it is shown."""
        product = self.product_of(request, str(product_id))
        if not self.has_change_permission(request, product):
            raise PermissionDenied
        then = ProductChange.objects.fields_at(product, version)
        if then is None:
            raise Http404
        new = history.made_different(product, then)
        if request.method == "POST" and self.restore(request, product, new, version=version):
            return HttpResponseRedirect(reverse("admin:catalog_product_history", args=[product.pk]))
        [differences] = differences_of([{name: [history.is_now(product, name), new[name]] for name in new}])
        context = {"version": version, "differences": differences}
        return self.page(request, product, "restore", f"Restore version {version} of {product}", context)

    def restore(self, request: HttpRequest, product: Product, new: dict[str, Any], *, version: int) -> bool:
        seen = request.POST.get("seen_version", "")
        cause = Cause(done_by=staff_name(request), note=f"Version {version} restored")
        try:
            update_product(product.pk, new, version=int(seen) if seen.isdecimal() else 0, cause=cause)
        except REFUSALS as refusal:
            self.message_user(request, sentence(refusal), messages.ERROR)
            return False
        self.message_user(request, f"{product} is as it was in version {version}.", messages.SUCCESS)
        return True

    def product_of(self, request: HttpRequest, object_id: str, *, or_deleted: bool = False) -> Product:
        if not object_id.isdecimal() or len(object_id) > 18:
            raise Http404
        product = Product.objects.with_stock().filter(pk=object_id).first()
        if product is None and or_deleted:
            product = ProductChange.objects.deleted_product(int(object_id))
        if product is None:
            raise Http404
        if not self.has_view_permission(request, product):
            raise PermissionDenied
        return product

    def page(
        self, request: HttpRequest, product: Product, name: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "product": product}
        return render(request, f"admin/catalog/product/{name}.html", frame | context)
