from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from catalog.errors import InsufficientStock, Shortage
from catalog.models import Product, StockMovement
from catalog.services import release_stock, take_stock
from orders.errors import HoldExpired
from orders.models import Order, OrderEvent
from orders.services.fulfilling import cancel_items, cause, locked, record, refuse_illegal, remaining, told
from orders.services.holding import freeing_held_stock

Kind = OrderEvent.Kind
COMPLETED: dict[str, Any] = {"status": Order.Status.COMPLETED, "completed_at": Now(), "hold_expires_at": None}


def complete_order(order_id: int, *, done_by: str, version: int | None = None) -> Order:
    """A held order is bought. Without an address its units are handed over now.

    Where its hold was over and its units went back on sale, they are taken again, at the prices of the order and within
    a day. Raises IllegalMove, HoldExpired, OrderChanged.
    """
    try:
        order = freeing_held_stock(lambda: complete(order_id, done_by=done_by, version=version), done_by=done_by)
    except InsufficientStock as refusal:
        raise HoldExpired(refusal.shortages) from None
    return told(order, Kind.COMPLETED, done_by=done_by)


@transaction.atomic(durable=True)
def complete(order_id: int, *, done_by: str, version: int | None) -> Order:
    order = locked(order_id, version=version)
    if order.hold_was_swept:
        return take_again(order, done_by=done_by)
    refuse_illegal(order, "complete")
    if order.ship_to is None:
        release_stock(remaining(order), kind=StockMovement.Kind.COMPLETED, cause=cause(order, done_by))
    record(order, Kind.COMPLETED, done_by=done_by, **COMPLETED)
    return order


def take_again(order: Order, *, done_by: str) -> Order:
    """What the sweep gave back, and nothing that was cancelled before it."""
    swept = order.events.get(kind=Kind.HOLD_EXPIRED).data["quantities"]
    quantities = {int(pk): quantity for pk, quantity in swept.items()}
    refuse_too_late(order, quantities)
    take_stock(
        quantities,
        committed=order.ship_to is not None,
        cause=cause(order, done_by),
        kind=StockMovement.Kind.RETAKEN,
    )
    total = cancel_items(order, {pk: -quantity for pk, quantity in quantities.items()})
    restored = {"current_total": total, "cancelled_at": None, "cancel_reason": ""}
    record(order, Kind.COMPLETED, done_by=done_by, data={"retaken": swept}, **COMPLETED, **restored)
    return order


def refuse_too_late(order: Order, quantities: Mapping[int, int]) -> None:
    """The prices of the order hold for a day, and only for what is still sold."""
    if not order.may_be_bought_after_sweep:
        raise HoldExpired
    archived = Product.objects.filter(pk__in=quantities, is_active=False).order_by("pk")
    if no_longer_sold := [Shortage(product, quantities[product.pk], available=0) for product in archived]:
        raise HoldExpired(no_longer_sold)
