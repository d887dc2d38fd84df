from collections.abc import Callable, Collection
from datetime import timedelta
from typing import TypeVar

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.db.models.functions import Now

from catalog.errors import InsufficientStock
from ecommerce import prepared
from orders.models import Order, OrderEvent, OrderItem
from orders.services.fulfilling import locked, record, remaining, take_back, told

log = structlog.get_logger(__name__)
Kind = OrderEvent.Kind
AT_ONCE = 100
SWEEPS = 20  # of at most 100 holds each
Result = TypeVar("Result")


def extend_hold(order_id: int, hold: timedelta, *, done_by: str, version: int | None = None) -> Order:
    """Hold the units of a pending order for this long from now. Raises IllegalMove."""
    with transaction.atomic(durable=True):
        order = locked(order_id, move="extend", version=version)
        data = {"seconds": int(hold.total_seconds())}
        record(order, Kind.HOLD_EXTENDED, done_by=done_by, data=data, hold_expires_at=Now() + hold)
    return told(order, Kind.HOLD_EXTENDED, done_by=done_by)


def expire_holds(*, done_by: str) -> int:
    """Cancel orders whose hold is over, the oldest 100 at most, and say how many.

    Each in a transaction of its own, passing by those that somebody has in hand: any number may do this at once.
    """
    over = Order.objects.hold_is_over().order_by("hold_expires_at").values_list("pk", flat=True)
    return sum(expire_hold(pk, done_by=done_by, wait=False) for pk in over[:AT_ONCE])


def freeing_held_stock(action: Callable[[], Result], *, done_by: str) -> Result:
    """Do what takes stock. What is short may be held by orders whose time is over: nobody waits for a worker to sweep
    them. Each try is a transaction of its own, since a sweep locks another order. Raises InsufficientStock."""
    for _ in range(SWEEPS):
        try:
            return action()
        except InsufficientStock as refusal:
            short = [shortage.product.pk for shortage in refusal.shortages]
            if not free_held_stock(short, done_by=done_by):
                break
    return action()  # another may have swept between the look at the stock and the look at the holds


# `Order.objects.hold_is_over()` with these products. Every order that is refused for lack of stock asks it.
HOLDING = """
    SELECT held.id
      FROM orders_order AS held JOIN orders_orderitem AS line ON line.order_id = held.id
     WHERE held.status = 'pending' AND held.hold_expires_at <= statement_timestamp()
       AND line.product_id = ANY (%(product_ids)s::bigint[])
     LIMIT %(at_once)s
"""


def free_held_stock(product_ids: Collection[int], *, done_by: str) -> bool:
    """Expire holds on these products, 100 at most, waiting for those that somebody has in hand. False: there were none.

    That another was faster is no reason to think that nothing was freed.
    """
    values = {"product_ids": prepared.array(product_ids), "at_once": prepared.number(AT_ONCE)}
    holding = sorted({pk for (pk,) in prepared.fetch(HOLDING, values)})
    for pk in holding:
        expire_hold(pk, done_by=done_by, wait=True)
    return bool(holding)


def over_but_held(product_ids: Collection[int]) -> dict[int, int]:
    """Units by product id that are held for nobody any more, and that the next sweep gives back."""
    held = OrderItem.objects.filter(product_id__in=product_ids, order__in=Order.objects.hold_is_over())
    units = held.values("product_id").annotate(units=Sum(F("quantity") - F("cancelled_quantity")))
    return dict(units.values_list("product_id", "units"))


def expire_hold(order_id: int, *, done_by: str, wait: bool) -> bool:
    """Give the units back if the hold is over. An order that breaks the books is told, and left to `check_books`."""
    try:
        return expire(order_id, done_by=done_by, wait=wait)
    except (AssertionError, IntegrityError):
        log.exception("hold_fault", order=order_id)
        return False


def expire(order_id: int, *, done_by: str, wait: bool) -> bool:
    with transaction.atomic(durable=True):
        over = Order.objects.hold_is_over().filter(pk=order_id)
        order = over.select_for_update(skip_locked=not wait, no_key=True).first()
        if order is None:
            return False
        take_back(order, remaining(order), kind=Kind.HOLD_EXPIRED, done_by=done_by, reason="the hold is over")
    told(order, Kind.HOLD_EXPIRED, done_by=done_by)
    return True
