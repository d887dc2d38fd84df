"""The second reading of the source: its rows become the shop's, as our own services would have written them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from django.conf import settings

from catalog.models import Product, StockMovement
from catalog.services import Move, Stamp, import_moves, import_products
from orders.models import Order, OrderEvent, OrderItem
from orders.moving_in.repairs import OldLine, OldOrder, OldProduct
from orders.moving_in.source import Source
from orders.moving_in.survey import Survey, old_orders, old_products

DONE_BY = "command:import_classic"
OPENING_NOTE = "Moved in: the stock of then, and what was sold before"
SURPLUS_NOTE = "Moved in: units of cancelled orders that were not in the stock of then"
BATCH = 2_000

T = TypeVar("T")


def write_everything(source: Source, survey: Survey, *, now: Stamp) -> None:
    """Fill the empty shop. The caller holds the transaction."""
    products: dict[int, Product] = {}
    for batch in batches(old_products(source)):
        products |= written_products(batch, survey=survey)
    for orders in batches(old_orders(source, survey)):
        write_orders(orders, products=products, now=now)
    kind = StockMovement.Kind.ADJUSTED
    surpluses = survey.surpluses.items()
    import_moves(
        [Move(product_id=pk, kind=kind, change=-units, note=SURPLUS_NOTE) for pk, units in surpluses], done_by=DONE_BY
    )


def batches(rows: Iterable[T]) -> Iterator[list[T]]:
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch


def written_products(batch: Sequence[OldProduct], *, survey: Survey) -> dict[int, Product]:
    """By id, with no more of them than an order line copies."""
    products = [Product(id=old.id, name=old.name, description=old.description, price=old.price) for old in batch]
    opening = [survey.opening(old.id) for old in batch]
    import_products(products, opening=opening, done_by=DONE_BY, note=OPENING_NOTE)
    return {product.pk: Product(id=product.pk, sku=product.sku, name=product.name) for product in products}


def write_orders(batch: Sequence[OldOrder], *, products: Mapping[int, Product], now: Stamp) -> None:
    orders = [order_row(old, now=now) for old in batch]
    pairs = list(zip(batch, orders, strict=True))
    Order.objects.bulk_create(orders)
    OrderItem.objects.bulk_create(
        item_row(line, order=order, product=products[line.product_id]) for old, order in pairs for line in old.lines
    )
    import_moves([move for old, order in pairs for move in moves_of(old, order)], done_by=DONE_BY)
    OrderEvent.objects.bulk_create(event for old, order in pairs for event in events_of(old, order, now=now))


def order_row(old: OldOrder, *, now: Stamp) -> Order:
    """Without an address: it was handed over when it was sold."""
    return Order(
        id=old.id,
        status=old.status,
        total_price=old.total_price,
        current_total=0 if old.is_cancelled else old.total_price,
        currency=settings.SHOP_CURRENCY,
        placed_by=DONE_BY,
        version=2 if old.is_cancelled else 1,
        created_at=now.created_at,
        completed_at=now.created_at,
        cancelled_at=now.created_at if old.is_cancelled else None,
    )


def item_row(line: OldLine, *, order: Order, product: Product) -> OrderItem:
    return OrderItem(
        id=line.id,
        order_id=order.pk,
        product_id=product.pk,
        sku=product.sku,
        product_name=product.name,
        quantity=line.quantity,
        cancelled_quantity=line.quantity if order.status == Order.Status.CANCELLED else 0,
        price_at_time=line.price,
        subtotal=line.subtotal,
    )


def moves_of(old: OldOrder, order: Order) -> Iterator[Move]:
    ordered, returned = StockMovement.Kind.ORDERED, StockMovement.Kind.RETURNED
    for line in old.lines:
        yield Move(product_id=line.product_id, kind=ordered, change=-line.quantity, order_uuid=order.uuid)
    if old.is_cancelled:
        for line in old.lines:
            yield Move(product_id=line.product_id, kind=returned, change=line.quantity, order_uuid=order.uuid)


def events_of(old: OldOrder, order: Order, *, now: Stamp) -> Iterator[OrderEvent]:
    completed, written = Order.Status.COMPLETED, {"order_id": order.pk, "done_by": DONE_BY, **vars(now)}
    yield OrderEvent(kind=OrderEvent.Kind.PLACED, new_status=completed, **written)
    if old.is_cancelled:
        quantities = {str(line.product_id): line.quantity for line in old.lines}
        yield OrderEvent(
            kind=OrderEvent.Kind.CANCELLED,
            old_status=completed,
            new_status=Order.Status.CANCELLED,
            data={"quantities": quantities, "restock": True, "reason": ""},
            **written,
        )
