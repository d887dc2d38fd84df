import time
from collections.abc import Mapping
from itertools import count
from typing import cast

import structlog
from django.db import IntegrityError, transaction

from catalog.models import Reference
from ecommerce.database import constraint_of
from ecommerce.errors import DomainError, IdempotencyMismatch
from orders.models import Order
from orders.services.holding import freeing_held_stock
from orders.services.pricing import basket_of, read_basket, refuse_odd_number
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
    tries = count()

    def attempt() -> Placed:
        if next(tries):
            read_basket(request)  # refuses what is still short at a third of the cost
        return place(request)

    try:
        return freeing_held_stock(attempt, done_by=request.placed_by)
    except DomainError:
        if (placed := find_replay(request)) is None:
            raise
        return placed


def place(request: OrderRequest) -> Placed:
    """Two rules of the database end a race, and roll back all that its loser has written.

    The unique key is the gate: a rival with the same key waits there, holding no stock, until we have committed. And no
    counter is ever below zero: what was sold since it was looked at is looked at again, and then plainly refused.
    """
    refuse_odd_number(request.lines)
    wanted = units_by_name(request)
    tries = 0
    while True:
        tries += 1
        try:
            return place_once(request, wanted)
        except IntegrityError as error:
            rule = constraint_of(error)
            if rule == "order_key_used_once":
                return replay(request)
            if rule != "stock_available_not_negative" or tries == TRIES:
                raise


def place_once(request: OrderRequest, wanted: Mapping[Reference, int]) -> Placed:
    with transaction.atomic(durable=True):
        placed, found = write(request, wanted)
    if placed is None:
        basket_of(request, found)  # says why
        raise AssertionError("Nothing is wrong with the order, and yet it was not placed.")
    return placed


def units_by_name(request: OrderRequest) -> Mapping[Reference, int]:
    """Where lines name products in several ways, two names may be one product's: then all are read, and named by id."""
    if len({type(line.product) for line in request.lines}) > 1:
        return cast("dict[Reference, int]", read_basket(request)[0].quantities)
    units: dict[Reference, int] = {}
    for line in request.lines:
        units[line.product] = units.get(line.product, 0) + line.quantity
    return units


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
