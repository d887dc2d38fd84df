from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Sum

from catalog.errors import CountBelowCommitted, InsufficientStock, Shortage, UnknownProduct
from catalog.models import MOVED_BY_PEOPLE, Product, Stock, StockMovement
from ecommerce.errors import IdempotencyMismatch
from ecommerce.logging import current_request_id

log = structlog.get_logger(__name__)
Kind = StockMovement.Kind


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Who moves stock, for which order, and why: written on every row of the ledger.

    With a `key`, a person's move counts once however often it is sent.
    """

    done_by: str
    order_uuid: UUID | None = None
    key: str | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Units that a product's two counters gain or lose."""

    available: int = 0
    committed: int = 0


# What orders do


@transaction.atomic(savepoint=False)
def take_stock(quantities: Mapping[int, int], *, committed: bool, cause: Cause) -> None:
    """Take units of each product id off sale; `committed` says that they wait on the shelf.

    Locks the rows until the transaction ends. Raises InsufficientStock with every short line; then nothing changed.
    """
    available = {stock.pk: stock.available for stock in Stock.objects.locked(quantities)}
    wanted = {pk: quantity for pk, quantity in quantities.items() if available.get(pk, 0) < quantity}
    if wanted:
        products = Product.objects.in_bulk(wanted)
        raise InsufficientStock([Shortage(products[pk], wanted[pk], available.get(pk, 0)) for pk in wanted])
    write(
        {pk: Change(available=-n, committed=n if committed else 0) for pk, n in quantities.items()},
        kind=Kind.ORDERED,
        cause=cause,
    )


@transaction.atomic(savepoint=False)
def release_stock(quantities: Mapping[int, int], *, kind: StockMovement.Kind, cause: Cause) -> None:
    """Committed units leave the shelf: `kind` is COMPLETED (handed over) or SHIPPED."""
    lock(quantities)
    write({pk: Change(committed=-n) for pk, n in quantities.items()}, kind=kind, cause=cause)


@transaction.atomic(savepoint=False)
def return_stock(quantities: Mapping[int, int], *, committed: bool, restock: bool, cause: Cause) -> None:
    """Undo `take_stock` for these units. `committed` says that they still wait on the shelf, else they came back.

    Without `restock` they are written off: lost from the shelf, or never put back on it.
    """
    if not committed and not restock:
        return
    lock(quantities)
    write(
        {pk: Change(available=n if restock else 0, committed=-n if committed else 0) for pk, n in quantities.items()},
        kind=Kind.CANCELLED if committed else Kind.RETURNED,
        cause=cause,
    )


# What people do


@transaction.atomic(savepoint=False)
def receive_stock(product_id: int, quantity: int, *, cause: Cause) -> StockMovement:
    """Put newly arrived units on sale."""
    stock = lock_one(product_id)
    return told_once(stock, Change(available=quantity), kind=Kind.RECEIVED, cause=cause)


@transaction.atomic(savepoint=False)
def adjust_stock(product_id: int, change: int, *, cause: Cause) -> StockMovement:
    """Add or remove units that are on sale: found, broken, lost. Raises InsufficientStock."""
    stock = lock_one(product_id)
    return told_once(stock, Change(available=change), kind=Kind.ADJUSTED, cause=cause)


@transaction.atomic(savepoint=False)
def count_stock(product_id: int, on_hand: int, *, cause: Cause) -> StockMovement:
    """Make the books say what a person counted on the shelf, committed units included.

    Raises CountBelowCommitted, with the orders that hold the units, when fewer lie there than are committed.
    """
    stock = lock_one(product_id)
    return told_once(stock, Change(available=on_hand - stock.on_hand), kind=Kind.COUNTED, cause=cause)


def told_once(stock: Stock, change: Change, *, kind: StockMovement.Kind, cause: Cause) -> StockMovement:
    """Write the move, or return the one that this key wrote before. The lock on the stock makes rivals take turns."""
    if cause.key is not None and (earlier := earlier_movement(stock, cause)):
        if earlier.kind != kind or not says_the_same(earlier, stock, change):
            raise IdempotencyMismatch
        return earlier
    if stock.available + change.available < 0:
        refuse(stock, change, kind=kind)
    [movement] = write({stock.pk: change}, kind=kind, cause=cause)
    return movement


def earlier_movement(stock: Stock, cause: Cause) -> StockMovement | None:
    return StockMovement.objects.filter(product_id=stock.pk, done_by=cause.done_by, idempotency_key=cause.key).first()


def says_the_same(earlier: StockMovement, stock: Stock, change: Change) -> bool:
    """A count says how many lie on the shelf, which is another change after the stock has moved."""
    if earlier.kind != Kind.COUNTED:
        return earlier.available_change == change.available
    until_then = StockMovement.objects.filter(product_id=stock.pk, pk__lte=earlier.pk)
    committed = until_then.aggregate(total=Sum("committed_change"))["total"]
    return bool(earlier.available_after + committed == stock.on_hand + change.available)


def refuse(stock: Stock, change: Change, *, kind: StockMovement.Kind) -> None:
    if kind == Kind.COUNTED:
        raise CountBelowCommitted(committed=stock.committed, holders=holders_of(stock))
    raise InsufficientStock([Shortage(stock.product, -change.available, stock.available)])


def holders_of(stock: Stock) -> list[tuple[UUID, int]]:
    """The orders whose units of this product are still on the shelf, oldest first."""
    committed = (
        StockMovement.objects.filter(product_id=stock.pk, order_uuid__isnull=False)
        .values("order_uuid")
        .annotate(quantity=Sum("committed_change"))
        .filter(quantity__gt=0)
        .order_by("order_uuid")
    )
    return [(order, quantity) for order, quantity in committed.values_list("order_uuid", "quantity") if order]


# The two counters and the ledger, always together


def lock(product_ids: Mapping[int, int]) -> list[Stock]:
    return list(Stock.objects.locked(product_ids))


def lock_one(product_id: int) -> Stock:
    stock = Stock.objects.locked([product_id]).first()
    if stock is None:
        raise UnknownProduct(product_id)
    return stock


# Relative, and refused by the database itself below zero: a counter is never computed here and written back.
CHANGE_STOCK = """
    UPDATE catalog_stock AS stock
       SET available = stock.available + change.available, committed = stock.committed + change.committed
      FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS change (product_id, available, committed)
     WHERE stock.product_id = change.product_id
       AND stock.available + change.available >= 0
       AND stock.committed + change.committed >= 0
 RETURNING stock.product_id, stock.available
"""


def write(changes: Mapping[int, Change], *, kind: StockMovement.Kind, cause: Cause) -> list[StockMovement]:
    """Change the counters and add the ledger's rows. The caller holds the locks and has refused what must be."""
    with connection.cursor() as cursor:
        cursor.execute(
            CHANGE_STOCK,
            [
                list(changes),
                [change.available for change in changes.values()],
                [change.committed for change in changes.values()],
            ],
        )
        available_after = dict(cursor.fetchall())
    if len(available_after) != len(changes):
        raise AssertionError("Stock changed without a lock: some rows could not take their change.")
    movements = StockMovement.objects.bulk_create(
        movement(pk, changes[pk], after=available_after[pk], kind=kind, cause=cause) for pk in changes
    )
    if kind in MOVED_BY_PEOPLE:
        transaction.on_commit(partial(log_moves, movements), robust=True)
    return movements


def movement(product_id: int, change: Change, *, after: int, kind: StockMovement.Kind, cause: Cause) -> StockMovement:
    return StockMovement(
        product_id=product_id,
        kind=kind,
        available_change=change.available,
        committed_change=change.committed,
        available_after=after,
        order_uuid=cause.order_uuid,
        done_by=cause.done_by,
        idempotency_key=cause.key,
        note=cause.note,
        request_id=current_request_id(),
    )


def log_moves(movements: list[StockMovement]) -> None:
    for moved in movements:
        log.info(
            "stock_moved",
            kind=moved.kind,
            product=moved.product_id,
            change=moved.available_change,
            available=moved.available_after,
            done_by=moved.done_by,
        )
