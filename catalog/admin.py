from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse

from catalog.forms import NewProductForm, ProductForm, StockMoveForm
from catalog.models import Product, StockMovement
from catalog.services import Cause, adjust_stock, count_stock, create_product, receive_stock, update_product
from ecommerce.admin import ReadOnly, staff_name
from ecommerce.errors import DomainError

MOVES = {
    StockMovement.Kind.RECEIVED: receive_stock,
    StockMovement.Kind.ADJUSTED: adjust_stock,
    StockMovement.Kind.COUNTED: count_stock,
}


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
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
        return super().get_form(request, obj, change, form=ProductForm if change else NewProductForm, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Any:
        fields = list(ProductForm.Meta.fields)
        if obj is None:
            return [(None, {"fields": [*fields, "stock"]})]
        return [
            (None, {"fields": fields}),
            ("Stock", {"fields": [("available", "committed", "on_hand")]}),
            ("Times", {"fields": [("created_at", "updated_at")], "classes": ("collapse",)}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        if change:
            update_product(obj.pk, {name: form.cleaned_data[name] for name in form.changed_data})
        else:
            obj.pk = create_product(**form.cleaned_data, cause=Cause(done_by=staff_name(request))).pk

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    @admin.action(description="Archive the selected products", permissions=["change"])
    def archive(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self.set_on_sale(request, products, is_active=False)

    @admin.action(description="Put the selected products on sale again", permissions=["change"])
    def put_on_sale(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self.set_on_sale(request, products, is_active=True)

    def set_on_sale(self, request: HttpRequest, products: QuerySet[Product], *, is_active: bool) -> None:
        changed = list(products.filter(is_active=not is_active))
        for product in changed:
            update_product(product.pk, {"is_active": is_active})
            self.log_change(request, product, f"Put {'on' if is_active else 'off'} sale.")
        self.message_user(request, f"{len(changed)} products are {'on' if is_active else 'off'} sale now.")

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
        if form.is_valid() and self.move_stock(request, product, form.cleaned_data):
            return HttpResponseRedirect(reverse("admin:catalog_product_stock", args=[product_id]))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Stock of {product}",
            "product": product,
            "form": form if may_move else None,
            "movements": product.movements.order_by("-pk")[:50],
        }
        return render(request, "admin/catalog/product/stock.html", context)

    def move_stock(self, request: HttpRequest, product: Product, moved: dict[str, Any]) -> bool:
        move = MOVES[moved["kind"]]
        cause = Cause(done_by=staff_name(request), key=str(moved["key"]), note=moved["note"])
        try:
            movement = move(product.pk, moved["quantity"], cause=cause)
        except DomainError as refusal:
            self.message_user(request, refusal_with_holders(refusal), messages.ERROR)
            return False
        self.message_user(request, f"{movement.available_change:+} units: {movement.available_after} are available.")
        return True


def refusal_with_holders(refusal: DomainError) -> str:
    holders = refusal.data().get("holders", [])
    orders = ", ".join(f"{holder['order']} ({holder['quantity']})" for holder in holders)
    return f"{refusal} Held by order {orders}." if orders else str(refusal)


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnly, admin.ModelAdmin):
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
