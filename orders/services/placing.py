import time
from typing import Any, cast

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from catalog.models import make_uuid
from ecommerce.database import constraint_of
from ecommerce.errors import DomainError, IdempotencyMismatch
from orders.models import Order, OrderItem
from orders.services.holding import freeing_held_stock
from orders.services.pricing import Basket, read_basket
from orders.services.requests import OrderRequest, Placed
from orders.services.writing import write

log = structlog.get_logger(__name__)
TRIES = 20


def place_order(request: OrderRequest) -> Placed:
    """Take the stock and record the order, or change nothing; a retry gets the order that its key placed.

    Raises UnknownProduct, InsufficientStock, OrderTooLarge, PriceChanged, IdempotencyMismatch.
    """
    started = time.perf_counter()
    try:
        placed = place_or_replay(request)
    except DomainError as refusal:
        log.info("order_refused", code=refusal.code, lines=len(request.lines), placed_by=request.placed_by)
        raise
    log_placed(placed, started=started)
    return placed


def place_or_replay(request: OrderRequest) -> Placed:
    """Whatever is refused may have been placed by an earlier try, which took the last unit."""
    try:
        return freeing_held_stock(lambda: place(request), done_by=request.placed_by)
    except DomainError:
        if (placed := find_replay(request)) is None:
            raise
        return placed


def place(request: OrderRequest) -> Placed:
    """Two rules of the database end a race, and roll back all that its loser has written.

    The unique key is the gate: a rival with the same key waits there, holding no stock, until we have committed. And no
    counter is ever below zero: what was sold since the basket was read is read again, and then plainly refused.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return place_as_read(request, read_basket(request))
        except IntegrityError as error:
            rule = constraint_of(error)
            if rule == "order_key_used_once":
                return replay(request)
            if rule != "stock_available_not_negative" or tries == TRIES:
                raise


def place_as_read(request: OrderRequest, basket: Basket) -> Placed:
    columns = columns_of(request, basket)
    with transaction.atomic(durable=True):
        order = write(columns, basket.items, basket.quantities, hold=request.hold)
    order.lines = cast("list[OrderItem]", basket.items)  # which say the same
    return Placed(order=order, items=basket.items)


def columns_of(request: OrderRequest, basket: Basket) -> dict[str, Any]:
    return {
        "uuid": make_uuid(),
        "status": "completed" if request.hold is None else "pending",
        "total_price": basket.total,
        "current_total": basket.total,
        "currency": settings.SHOP_CURRENCY,
        "customer_email": request.customer.get("email", ""),
        "customer_name": request.customer.get("name", ""),
        "ship_to": request.ship_to,
        "reference": request.reference,
        "metadata": request.metadata,
        "placed_by": request.placed_by,
        "idempotency_key": request.key,
        "fingerprint": request.fingerprint if request.key is not None else "",
    }


def replay(request: OrderRequest) -> Placed:
    placed = find_replay(request)
    if placed is None:
        raise AssertionError("The key is taken, yet no order has it.")
    return placed


def find_replay(request: OrderRequest) -> Placed | None:
    """The order that this key placed, as it is now. Raises IdempotencyMismatch."""
    if request.key is None:
        return None
    order = Order.objects.with_lines().filter(placed_by=request.placed_by, idempotency_key=request.key).first()
    if order is None:
        return None
    if order.fingerprint != request.fingerprint:
        raise IdempotencyMismatch
    return Placed(order=order, items=order.lines, replayed=True)


def log_placed(placed: Placed, *, started: float) -> None:
    log.info(
        "order_replayed" if placed.replayed else "order_placed",
        order=placed.order.pk,
        total=str(placed.order.total_price),
        lines=len(placed.items),
        placed_by=placed.order.placed_by,
        duration_ms=round((time.perf_counter() - started) * 1000, 1),
    )
