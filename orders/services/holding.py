from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from orders.models import Order, OrderEvent
from orders.services.fulfilling import locked, record, remaining, take_back, told

Kind = OrderEvent.Kind
AT_ONCE = 100


def extend_hold(order_id: int, hold: timedelta, *, done_by: str) -> Order:
    """Hold the units of a pending order for this long from now. Raises IllegalMove."""
    with transaction.atomic(durable=True):
        order = locked(order_id, move="extend")
        data = {"seconds": int(hold.total_seconds())}
        record(order, Kind.HOLD_EXTENDED, done_by=done_by, data=data, hold_expires_at=Now() + hold)
    return told(order, Kind.HOLD_EXTENDED, done_by=done_by)


def expire_holds(*, done_by: str, product_ids: Collection[int] | None = None) -> int:
    """Cancel orders whose hold is over, at most 100, and say how many; with `product_ids` only those that hold one.

    Each in a transaction of its own, and none that somebody else is at: any number may do this at once.
    """
    over = Order.objects.hold_is_over()
    if product_ids is not None:
        over = over.filter(items__product_id__in=product_ids).distinct()
    oldest = list(over.order_by("hold_expires_at").values_list("pk", flat=True)[:AT_ONCE])
    return sum(expire_hold(pk, done_by=done_by) for pk in oldest)


def expire_hold(order_id: int, *, done_by: str) -> bool:
    """Give the units back if the hold is over and nobody else has the order in hand."""
    with transaction.atomic(durable=True):
        order = (
            Order.objects.hold_is_over().filter(pk=order_id).select_for_update(skip_locked=True, no_key=True).first()
        )
        if order is None:
            return False
        take_back(order, remaining(order), kind=Kind.HOLD_EXPIRED, done_by=done_by, reason="the hold is over")
    told(order, Kind.HOLD_EXPIRED, done_by=done_by)
    return True
