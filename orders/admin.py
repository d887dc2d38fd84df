from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from unfold.admin import TabularInline

from ecommerce.admin import REFUSALS, ReadOnly, ShopAdmin, sentence, staff_name
from ecommerce.downloads import Downloads
from orders.exporting import OF_ORDERS
from orders.forms import CancelForm
from orders.models import Order, OrderEvent, OrderItem
from orders.services import cancel_order, ship_order

AT_ONCE = 500


class ItemInline(ReadOnly, TabularInline):
    model = OrderItem
    fields = ("product_name", "sku", "quantity", "cancelled_quantity", "price_at_time", "subtotal")


class EventInline(ReadOnly, TabularInline):
    model = OrderEvent
    verbose_name_plural = "timeline"
    fields = ("created_at", "kind", "old_status", "new_status", "done_by", "request_id", "data")


@admin.register(Order)
class OrderAdmin(Downloads, ReadOnly, ShopAdmin):
    downloads = OF_ORDERS
    list_display = (
        "id",
        "status",
        "current_total",
        "currency",
        "customer_email",
        "placed_by",
        "created_at",
        "shipped_at",
    )
    list_filter = ("status", "created_at", ("shipped_at", admin.EmptyFieldListFilter))
    search_fields = ("=id", "uuid__exact", "customer_email", "reference")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("status", "total_price", "current_total", "currency", "placed_by", "reference")}),
        ("Customer", {"fields": ("customer_email", "customer_name", "address")}),
        (
            "Progress",
            {
                "fields": (
                    "created_at",
                    "hold_expires_at",
                    "completed_at",
                    "shipped_at",
                    "tracking",
                    "cancelled_at",
                    "cancel_reason",
                )
            },
        ),
        ("For programs", {"fields": ("uuid", "metadata", "idempotency_key"), "classes": ("collapse",)}),
    )
    inlines = (ItemInline, EventInline)
    actions = ("mark_shipped", "cancel")

    @admin.display(description="ship to", empty_value="Nowhere: it was taken along")
    def address(self, order: Order) -> str | None:
        lines = ("name", "line1", "line2", "city", "region", "postal_code", "country")
        return ", ".join(order.ship_to[line] for line in lines if order.ship_to.get(line)) if order.ship_to else None

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.change_order")

    @admin.action(description="Mark the selected orders as shipped", permissions=["manage"])
    def mark_shipped(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self.move_each(request, orders, ship_order, done="shipped")

    @admin.action(description="Cancel the selected orders", permissions=["manage"])
    def cancel(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        if self.are_too_many(request, orders):
            return None
        form = CancelForm(request.POST if "confirmed" in request.POST else None)
        if form.is_valid():
            self.move_each(request, orders, cancel_order, done="cancelled", **form.cleaned_data)
            return None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Cancel orders",
            "orders": orders,
            "form": form,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return render(request, "admin/orders/order/cancel.html", context)

    def are_too_many(self, request: HttpRequest, orders: QuerySet[Order]) -> bool:
        too_many = orders.count() > AT_ONCE
        if too_many:
            self.message_user(request, f"At most {AT_ONCE} orders at once: nothing was done.", messages.ERROR)
        return too_many

    def move_each(
        self, request: HttpRequest, orders: QuerySet[Order], move: Callable[..., Order], *, done: str, **options: Any
    ) -> None:
        """Each order in a transaction of its own: what one refuses does not undo what another did."""
        if self.are_too_many(request, orders):
            return
        moved = 0
        for pk in orders.order_by("pk").values_list("pk", flat=True):
            try:
                move(pk, done_by=staff_name(request), **options)
                moved += 1
            except REFUSALS as refusal:
                self.message_user(request, f"Order {pk}: {sentence(refusal)}", messages.ERROR)
        if moved:
            self.message_user(request, f"{moved} orders are {done} now.", messages.SUCCESS)
