import time
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from catalog.errors import InsufficientStock, Shortage, UnknownProduct
from catalog.models import Product
from catalog.services import Cause, take_stock
from ecommerce.errors import DomainError, IdempotencyMismatch
from ecommerce.logging import current_request_id
from orders.errors import OrderTooLarge
from orders.models import MAX_LINES, MAX_QUANTITY, MAX_TOTAL, Order, OrderEvent, OrderItem
from orders.services.holding import free_held_stock
from orders.services.requests import Line, OrderRequest, Placed

log = structlog.get_logger(__name__)

SWEEPS = 20  # of at most 100 holds each


class KeyTaken(Exception):
    """Another transaction has committed an order under this key. It rolls ours back, and never leaves this module."""


def place_order(request: OrderRequest) -> Placed:
    """Take the stock and record the order, or change nothing; a retry gets the order that its key placed.

    Raises UnknownProduct, InsufficientStock, OrderTooLarge, IdempotencyMismatch.
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
        return place_or_free(request)
    except KeyTaken:
        return replay(request)
    except DomainError:
        if (placed := find_replay(request)) is None:
            raise
        return placed


def place_or_free(request: OrderRequest) -> Placed:
    """What is short may be held by orders whose time is over: selling does not wait for a worker to sweep them."""
    for _ in range(SWEEPS):
        try:
            return place(request)
        except InsufficientStock as refusal:
            short = [shortage.product.pk for shortage in refusal.shortages]
            if not free_held_stock(short, done_by=request.placed_by):
                break
    return place(request)  # another may have swept between the look at the stock and the look at the holds


@transaction.atomic(durable=True)
def place(request: OrderRequest) -> Placed:
    quantities = merged(request.lines)
    products, now = products_on_sale(quantities)
    refuse_plainly_short(quantities, products)
    order = new_order(request, now=now)
    items = [item(order, products[pk], quantity) for pk, quantity in quantities.items()]
    order.total_price = order.current_total = total_of(items)
    insert_once(order)
    OrderItem.objects.bulk_create(items)
    take_stock(
        quantities,
        committed=not order.was_handed_over,
        cause=Cause(done_by=request.placed_by, order_uuid=order.uuid),
    )
    OrderEvent.objects.create(
        order=order,
        kind=OrderEvent.Kind.PLACED,
        new_status=order.status,
        done_by=request.placed_by,
        request_id=current_request_id(),
    )
    return Placed(order=order, items=items)


def merged(lines: list[Line]) -> dict[int, int]:
    """Units by product id; a product that stands twice keeps its first place."""
    if not lines or any(line.quantity < 1 for line in lines):
        raise ValueError("an order has at least one line, and each at least one unit")
    quantities: dict[int, int] = {}
    for line in lines:
        quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
    if len(lines) > MAX_LINES or max(quantities.values()) > MAX_QUANTITY:
        raise OrderTooLarge(f"An order has at most {MAX_LINES} lines and {MAX_QUANTITY} units of a product.")
    return quantities


def products_on_sale(quantities: Mapping[int, int]) -> tuple[dict[int, Product], datetime]:
    """The products with their stock, unlocked, and the time by the database's clock: deadlines go by that one."""
    found: Any = Product.objects.on_sale().with_stock().filter(pk__in=quantities).annotate(read_at=Now())
    products = {product.pk: product for product in found}
    for product_id in quantities:
        if product_id not in products:
            raise UnknownProduct(product_id)
    return products, found[0].read_at


def refuse_plainly_short(quantities: Mapping[int, int], products: Mapping[int, Product]) -> None:
    """Spares a hopeless order the lock. What it lets through, `take_stock` looks at again under the lock."""
    shortages = [
        Shortage(products[pk], wanted, products[pk].stock.available)
        for pk, wanted in quantities.items()
        if products[pk].stock.available < wanted
    ]
    if shortages:
        raise InsufficientStock(shortages)


def new_order(request: OrderRequest, *, now: datetime) -> Order:
    return Order(
        status=Order.Status.COMPLETED if request.hold is None else Order.Status.PENDING,
        completed_at=now if request.hold is None else None,
        hold_expires_at=None if request.hold is None else now + request.hold,
        currency=settings.SHOP_CURRENCY,
        customer_email=request.customer.get("email", ""),
        customer_name=request.customer.get("name", ""),
        ship_to=request.ship_to,
        reference=request.reference,
        metadata=request.metadata,
        placed_by=request.placed_by,
        idempotency_key=request.key,
        fingerprint=request.fingerprint if request.key is not None else "",
    )


def item(order: Order, product: Product, quantity: int) -> OrderItem:
    """The price is the shop's own; what the client believes it to be was never asked."""
    return OrderItem(
        order=order,
        product=product,
        sku=product.sku,
        product_name=product.name,
        quantity=quantity,
        price_at_time=product.price,
        subtotal=quantity * product.price,
    )


def total_of(items: list[OrderItem]) -> Decimal:
    total = sum((item.subtotal for item in items), Decimal())
    if total > MAX_TOTAL:
        raise OrderTooLarge(f"The total is above {MAX_TOTAL}.")
    return total


def insert_once(order: Order) -> None:
    """The unique key is the gate: a rival with the same key waits here, holding no stock, until we have committed."""
    try:
        order.save(force_insert=True)
    except IntegrityError as error:
        if "order_key_used_once" not in str(error):
            raise
        raise KeyTaken from error


def replay(request: OrderRequest) -> Placed:
    placed = find_replay(request)
    if placed is None:
        raise AssertionError("The key is taken, yet no order has it.")
    return placed


def find_replay(request: OrderRequest) -> Placed | None:
    """The order that this key placed, as it is now. Raises IdempotencyMismatch."""
    if request.key is None:
        return None
    order = Order.objects.filter(placed_by=request.placed_by, idempotency_key=request.key).first()
    if order is None:
        return None
    if order.fingerprint != request.fingerprint:
        raise IdempotencyMismatch
    return Placed(order=order, items=list(order.items.all()), replayed=True)


def log_placed(placed: Placed, *, started: float) -> None:
    log.info(
        "order_replayed" if placed.replayed else "order_placed",
        order=placed.order.pk,
        total=str(placed.order.total_price),
        lines=len(placed.items),
        placed_by=placed.order.placed_by,
        duration_ms=round((time.perf_counter() - started) * 1000, 1),
    )
