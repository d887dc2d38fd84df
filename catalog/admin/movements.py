from django.contrib import admin

from catalog.exporting import OF_MOVEMENTS
from catalog.models import StockMovement
from ecommerce.admin import NamesWho, ReadOnly, ShopAdmin
from ecommerce.downloads import Downloads


@admin.register(StockMovement)
class StockMovementAdmin(NamesWho, Downloads, ReadOnly, ShopAdmin):
    downloads = OF_MOVEMENTS
    list_display = (
        "created_at",
        "product",
        "kind",
        "available_change",
        "committed_change",
        "available_after",
        "who",
        "note",
    )
    fields = (*list_display, "order_uuid", "idempotency_key", "request_id")
    list_filter = ("kind", "created_at")
    list_select_related = ("product",)
    search_fields = ("product__name", "product__sku", "order_uuid__exact", "note")
    ordering = ("-id",)
