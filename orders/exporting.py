"""Orders and their lines as rows of a file, newest first."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from ecommerce.downloads import Download
from ecommerce.exporting import in_batches
from orders.models import Order, OrderItem

Row = list[Any]
ADDRESS = ("name", "line1", "line2", "city", "region", "postal_code", "country")
ORDER_COLUMNS = [
    "number",
    "id",
    "status",
    "total price",
    "current total",
    "currency",
    "customer email",
    "customer name",
    *(f"ship to {part.replace('_', ' ')}" for part in ADDRESS),
    "carrier",
    "tracking number",
    "placed by",
    "reference",
    "created at",
    "completed at",
    "shipped at",
    "cancelled at",
    "cancel reason",
]
LINE_COLUMNS = [
    "order number",
    "order id",
    "order status",
    "created at",
    "sku",
    "product",
    "quantity",
    "cancelled quantity",
    "price",
    "subtotal",
]


def order_rows(orders: QuerySet[Order]) -> Iterator[Row]:
    for batch in in_batches(orders, newest_first=True):
        for order in batch:
            yield order_row(order)


def order_row(order: Order) -> Row:
    address, tracking = order.ship_to or {}, order.tracking or {}
    return [
        order.pk,
        order.uuid,
        order.status,
        order.total_price,
        order.current_total,
        order.currency,
        order.customer_email,
        order.customer_name,
        *(address.get(part, "") for part in ADDRESS),
        tracking.get("carrier", ""),
        tracking.get("number", ""),
        order.placed_by,
        order.reference,
        *(shown(time) for time in (order.created_at, order.completed_at, order.shipped_at, order.cancelled_at)),
        order.cancel_reason,
    ]


def shown(time: datetime | None) -> str:
    return time.isoformat() if time else ""


def line_rows(orders: QuerySet[Order]) -> Iterator[Row]:
    """In batches too: an order may have 2,000 lines."""
    for batch in in_batches(orders, newest_first=True):
        by_id = {order.pk: order for order in batch}
        for items in in_batches(OrderItem.objects.filter(order_id__in=by_id), newest_first=True):
            for item in items:
                yield line_row(item, by_id[item.order_id])


def line_row(item: OrderItem, order: Order) -> Row:
    return [
        order.pk,
        order.uuid,
        order.status,
        shown(order.created_at),
        item.sku,
        item.product_name,
        item.quantity,
        item.cancelled_quantity,
        item.price_at_time,
        item.subtotal,
    ]


OF_ORDERS = {
    "orders": Download(title="Orders", columns=ORDER_COLUMNS, rows=order_rows),
    "order-lines": Download(title="Lines of orders", columns=LINE_COLUMNS, rows=line_rows),
}
