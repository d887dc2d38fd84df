from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
from django.db import connection, transaction

from catalog.errors import InsufficientStock, ProductGone, Shortage
from catalog.models import Product, Stock, StockMovement
from ecommerce.logging import current_request_id

log = structlog.get_logger(__name__)
Kind = StockMovement.Kind


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Who moves stock, for which order, and why: written on every row of the ledger.

    With a `key`, moves that are not an order's count once however often they are sent; `fingerprint` then tells a
    retry from other moves.
    """

    done_by: str
    order_uuid: UUID | None = None
    key: str | None = None
    fingerprint: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Units that a product's two counters gain or lose, and why if that is more than the cause of all of them."""

    kind: StockMovement.Kind
    available: int = 0
    committed: int = 0
    note: str = ""


@transaction.atomic(savepoint=False)
def take_stock(
    quantities: Mapping[int, int], *, committed: bool, cause: Cause, kind: StockMovement.Kind = Kind.ORDERED
) -> None:
    """Take units of each product id off sale; `committed` says that they wait on the shelf. `kind` may be RETAKEN.

    Locks the rows until the transaction ends. Raises InsufficientStock with every short line; then nothing changed.
    """
    available = {stock.pk: stock.available for stock in Stock.objects.locked(quantities)}
    wanted = {pk: quantity for pk, quantity in quantities.items() if available.get(pk, 0) < quantity}
    if wanted:
        products = Product.objects.in_bulk(wanted)
        raise InsufficientStock([Shortage(products[pk], wanted[pk], available.get(pk, 0)) for pk in wanted])
    taken = {pk: Change(kind=kind, available=-n, committed=n if committed else 0) for pk, n in quantities.items()}
    write(taken, cause=cause)


@transaction.atomic(savepoint=False)
def release_stock(quantities: Mapping[int, int], *, kind: StockMovement.Kind, cause: Cause) -> None:
    """Committed units leave the shelf: `kind` is COMPLETED (handed over) or SHIPPED."""
    lock(quantities)
    write({pk: Change(kind=kind, committed=-n) for pk, n in quantities.items()}, cause=cause)


@transaction.atomic(savepoint=False)
def return_stock(quantities: Mapping[int, int], *, committed: bool, restock: bool, cause: Cause) -> None:
    """Undo `take_stock` for these units. `committed` says that they still wait on the shelf, else they came back.

    Without `restock` they are written off: lost from the shelf, or never put back on it.
    """
    if not committed and not restock:
        return
    lock(quantities)
    kind = Kind.CANCELLED if committed else Kind.RETURNED
    write(
        {
            pk: Change(kind=kind, available=n if restock else 0, committed=-n if committed else 0)
            for pk, n in quantities.items()
        },
        cause=cause,
    )


# The two counters and the ledger, always together


def lock(product_ids: Iterable[int]) -> list[Stock]:
    return list(Stock.objects.locked(product_ids))


def lock_one(product_id: int) -> Stock:
    stock = Stock.objects.locked([product_id]).first()
    if stock is None:
        raise ProductGone
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


def write(changes: Mapping[int, Change], *, cause: Cause) -> list[StockMovement]:
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
        movement(pk, changes[pk], after=available_after[pk], cause=cause) for pk in changes
    )
    if cause.order_uuid is None:
        transaction.on_commit(partial(log_moves, movements), robust=True)
    return movements


def movement(product_id: int, change: Change, *, after: int, cause: Cause) -> StockMovement:
    return StockMovement(
        product_id=product_id,
        kind=change.kind,
        available_change=change.available,
        committed_change=change.committed,
        available_after=after,
        order_uuid=cause.order_uuid,
        done_by=cause.done_by,
        idempotency_key=cause.key,
        fingerprint=cause.fingerprint,
        note=change.note or cause.note,
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
