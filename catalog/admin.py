from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from catalog.errors import CountBelowCommitted
from catalog.exporting import OF_MOVEMENTS, OF_PRODUCTS
from catalog.forms import ChangeProductForm, NewProductForm, ProductForm, StockMoveForm
from catalog.importing.admin import ImportsAndDownloads
from catalog.models import Product, StockMovement
from catalog.services import (
    Cause,
    adjust_stock,
    count_stock,
    create_product,
    delete_product,
    receive_stock,
    update_product,
)
from ecommerce.admin import REFUSALS, DeletedAlone, ReadOnly, ShopAdmin, sentence, staff_name
from ecommerce.downloads import Downloads

MOVES = {
    StockMovement.Kind.RECEIVED: receive_stock,
    StockMovement.Kind.ADJUSTED: adjust_stock,
    StockMovement.Kind.COUNTED: count_stock,
}


@admin.register(Product)
class ProductAdmin(ImportsAndDownloads, DeletedAlone, ShopAdmin):
    downloads = OF_PRODUCTS
    list_display = ("name", "sku", "price", "available", "committed", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "sku")
    list_select_related = ("stock",)
    readonly_fields = ("available", "committed", "on_hand", "created_at", "updated_at")
    ordering = ("name", "id")
    actions = ("archive", "put_on_sale")
    change_form_template = "admin/catalog/product/change_form.html"

    @admin.display(ordering="stock__available")
    def available(self, product: Product) -> int:
        return product.stock.available

    @admin.display(ordering="stock__committed")
    def committed(self, product: Product) -> int:
        return product.stock.committed

    @admin.display(description="on the shelf")
    def on_hand(self, product: Product) -> int:
        return product.stock.on_hand

    def get_form(self, request: HttpRequest, obj: Product | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=ChangeProductForm if change else NewProductForm, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Any:
        fields = list(ProductForm.Meta.fields)
        if obj is None:
            return [(None, {"fields": [*fields, "stock"]})]
        return [
            (None, {"fields": [*fields, "seen_version"]}),
            ("Stock", {"fields": [("available", "committed", "on_hand")]}),
            ("Times", {"fields": [("created_at", "updated_at")], "classes": ("collapse",)}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        """Only of a product that nothing ever happened to: the others are archived."""
        return obj is not None and not obj.movements.exists() and super().has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        delete_product(obj.pk, cause=Cause(done_by=staff_name(request)))

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        cause = Cause(done_by=staff_name(request))
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data if name != "seen_version"}
            update_product(obj.pk, changes, version=form.cleaned_data["seen_version"], cause=cause)
        else:
            obj.pk = create_product(**form.cleaned_data, cause=cause).pk

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except REFUSALS as refusal:
            self.message_user(request, sentence(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    @admin.action(description="Archive the selected products", permissions=["change"])
    def archive(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self.set_on_sale(request, products, is_active=False)

    @admin.action(description="Put the selected products on sale again", permissions=["change"])
    def put_on_sale(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self.set_on_sale(request, products, is_active=True)

    def set_on_sale(self, request: HttpRequest, products: QuerySet[Product], *, is_active: bool) -> None:
        changed = 0
        for product in products.filter(is_active=not is_active):
            try:
                update_product(product.pk, {"is_active": is_active}, cause=Cause(done_by=staff_name(request)))
            except REFUSALS as refusal:
                self.message_user(request, f"{product}: {sentence(refusal)}", messages.ERROR)
                continue
            self.log_change(request, product, f"Put {'on' if is_active else 'off'} sale.")
            changed += 1
        self.message_user(request, f"{changed} products are {'on' if is_active else 'off'} sale now.")

    def get_urls(self) -> list[URLPattern]:
        stock = path(
            "<int:product_id>/stock/", self.admin_site.admin_view(self.stock_view), name="catalog_product_stock"
        )
        return [stock, *super().get_urls()]

    def stock_view(self, request: HttpRequest, product_id: int) -> HttpResponse:
        """The ledger of a product, and the form that adds to it."""
        product = get_object_or_404(Product.objects.with_stock(), pk=product_id)
        may_move = request.user.has_perm("catalog.change_stock")
        if not self.has_view_permission(request, product) or (request.method == "POST" and not may_move):
            raise PermissionDenied
        form = StockMoveForm(request.POST or None)
        if form.is_valid():
            if self.move_stock(request, product, form.cleaned_data):
                return HttpResponseRedirect(reverse("admin:catalog_product_stock", args=[product_id]))
            form = form.to_correct()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Stock of {product}",
            "product": product,
            "form": form if may_move else None,
            "ledger": ledger_table(product.movements.order_by("-pk")[:50]),
        }
        return render(request, "admin/catalog/product/stock.html", context)

    def move_stock(self, request: HttpRequest, product: Product, moved: dict[str, Any]) -> bool:
        move = MOVES[moved["kind"]]
        cause = Cause(done_by=staff_name(request), key=str(moved["key"]), note=moved["note"])
        try:
            movement = move(product.pk, moved["quantity"], cause=cause)
        except REFUSALS as refusal:
            self.message_user(request, f"{sentence(refusal)}{holders_in(refusal)}", messages.ERROR)
            return False
        self.message_user(request, f"{movement.available_change:+} units: {movement.available_after} are available.")
        return True


def ledger_table(movements: QuerySet[StockMovement]) -> dict[str, Any]:
    return {
        "headers": ["Time", "Kind", "Available", "Committed", "Available after", "Order", "By", "Note"],
        "rows": [
            [
                date_format(localtime(movement.created_at), "DATETIME_FORMAT"),
                movement.kind,
                f"{movement.available_change:+}",
                f"{movement.committed_change:+}",
                movement.available_after,
                movement.order_uuid or "",
                movement.done_by,
                movement.note,
            ]
            for movement in movements
        ],
    }


def holders_in(refusal: Exception) -> str:
    if not isinstance(refusal, CountBelowCommitted):
        return ""
    return f" Held by order {', '.join(f'{order} ({quantity})' for order, quantity in refusal.holders)}."


@admin.register(StockMovement)
class StockMovementAdmin(Downloads, ReadOnly, ShopAdmin):
    downloads = OF_MOVEMENTS
    list_display = (
        "created_at",
        "product",
        "kind",
        "available_change",
        "committed_change",
        "available_after",
        "done_by",
        "note",
    )
    list_filter = ("kind", "created_at")
    list_select_related = ("product",)
    search_fields = ("product__name", "product__sku", "order_uuid__exact", "note")
    ordering = ("-id",)
