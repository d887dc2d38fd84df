from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from catalog.admin.conflicts import ConflictPage
from catalog.admin.deleted import DeletedPage
from catalog.admin.filters import PriceFilter, StockFilter
from catalog.admin.prices import PriceChanges
from catalog.admin.stock import StockPage
from catalog.errors import ProductChanged
from catalog.exporting import OF_PRODUCTS
from catalog.forms.products import ChangeProductForm, NewProductForm, PriceForm, ProductForm
from catalog.importing.admin import ImportsAndDownloads
from catalog.models import Product, StockMovement
from catalog.services import Cause, create_product, delete_product, update_product
from ecommerce.admin import REFUSALS, DeletedAlone, ShopList, sentence, staff_name

LINK = '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'
LOW = '{} <span class="{}">low</span>'
LOW_CLASSES = "bg-orange-100 text-orange-700 dark:bg-orange-500/20 dark:text-orange-400 px-1 rounded-default text-xs"
PICTURE = '<img src="{}" alt="{}" width="40" height="40" loading="lazy" referrerpolicy="no-referrer" class="{}">'


class ProductList(ShopList):
    """What every page needs besides its rows is asked once for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        sold = StockMovement.objects.sold_lately([product.pk for product in self.result_list])
        for product in self.result_list:
            product.sold = sold[product.pk]


@admin.register(Product)
class ProductAdmin(DeletedAlone, ConflictPage, StockPage, DeletedPage, PriceChanges, ImportsAndDownloads):
    downloads = OF_PRODUCTS
    list_display = ("picture", "name", "sku", "price", "available", "committed", "sold_in_30_days", "is_active")
    list_display_links = ("name",)
    list_editable = ("price",)
    list_filter = ("is_active", StockFilter, ("price", PriceFilter))
    list_filter_submit = True
    list_per_page = 50
    sortable_by = ("name", "sku", "price")  # those with an index
    search_fields = ("name", "sku")  # shows the field; what it finds is below
    readonly_fields = ("available", "committed", "on_hand", "created_at", "updated_at")
    ordering = ("name", "id")
    actions = ("archive", "put_on_sale", "change_prices")
    change_form_template = "admin/catalog/product/change_form.html"

    @admin.display(description="")
    def picture(self, product: Product) -> str:
        if not product.image_url.startswith("https://"):
            return ""
        return format_html(PICTURE, product.image_url, product.name, "rounded-default object-cover")

    @admin.display(description="available")
    def available(self, product: Product) -> str:
        available, low = product.stock.available, product.low_stock_at
        link = format_html(LINK, reverse("admin:catalog_product_stock", args=[product.pk]), f"{available:,}")
        return format_html(LOW, link, LOW_CLASSES) if low is not None and available <= low else link

    @admin.display(description="committed")
    def committed(self, product: Product) -> str:
        return f"{product.stock.committed:,}"

    @admin.display(description="sold, 30 days")
    def sold_in_30_days(self, product: Any) -> str:
        units, is_more = product.sold
        return f"{units:,}+" if is_more else f"{units:,}"

    @admin.display(description="on the shelf")
    def on_hand(self, product: Product) -> int:
        return product.stock.on_hand

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).prefetch_related("stock")

    def list_links(self, request: HttpRequest) -> list[dict[str, Any]]:
        deleted = {"title": "Deleted", "icon": "auto_delete", "path": reverse("admin:catalog_product_deleted")}
        return [*super().list_links(request), deleted]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ShopList]:
        return ProductList

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[PriceForm]:
        return PriceForm

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[QuerySet[Product], bool]:
        return (queryset.found_by(search_term) if search_term.strip() else queryset), False

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
            page = self.conflict(request, refusal) if isinstance(refusal, ProductChanged) else None
            return page or self.refused(request, refusal)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except REFUSALS as refusal:
            if "_save" not in request.POST:
                raise
            return self.refused(request, refusal)

    def refused(self, request: HttpRequest, refusal: Exception) -> HttpResponse:
        self.message_user(request, f"{sentence(refusal)}", messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())
