from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from catalog.errors import InsufficientStock, Shortage
from catalog.models import Product, Stock, StockMovement
from ecommerce import prepared
from ecommerce.logging import current_request_id

log = structlog.get_logger(__name__)
Kind = StockMovement.Kind


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Who moves stock or changes a product, for which order, and why: written on each row of ledger and history.

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

    Locks the rows until the transaction ends. Raises InsufficientStock with every short line: then roll back.
    """
    stocks = {stock.pk: stock for stock in lock(quantities)}
    if short := [pk for pk, wanted in quantities.items() if stocks[pk].available < wanted]:
        products = Product.objects.in_bulk(short)
        raise InsufficientStock([Shortage(products[pk], quantities[pk], stocks[pk].available) for pk in short])
    write(
        {pk: Change(kind=kind, available=-n, committed=n if committed else 0) for pk, n in quantities.items()},
        cause=cause,
    )


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


# The two counters and the ledger, always together and under the lock


def lock(product_ids: Iterable[int]) -> list[Stock]:
    return list(Stock.objects.locked(product_ids))


# Relative, and the database itself refuses what would be below zero: no counter is computed here and written back.
CHANGE_STOCK = """
    UPDATE catalog_stock AS stock
       SET available = stock.available + change.available, committed = stock.committed + change.committed
      FROM change
     WHERE stock.product_id = change.product_id
 RETURNING stock.product_id, stock.available
"""
# Follows `WITH change AS (...)`, of product_id, available, committed, kind, note and place, once its rows of stock are
# locked: `moved` has the ledger's rows. A move without its counter breaks a constraint: `available_after`.
MOVE_STOCK = f"""
    changed AS ({CHANGE_STOCK}),
    moved AS (
        INSERT INTO catalog_stockmovement (product_id, available_after, available_change, committed_change, kind, note,
                    order_uuid, done_by, idempotency_key, fingerprint, request_id)
        SELECT product_id, changed.available, change.available, change.committed, kind, note, %(order_uuid)s,
               %(done_by)s, %(key)s, %(fingerprint)s, %(request_id)s
          FROM change LEFT JOIN changed USING (product_id)
         ORDER BY place
     RETURNING id, product_id, available_after, created_at, transaction_id
    )
"""  # noqa: S608
CHANGES = """
    SELECT * FROM unnest(%(product_ids)s::bigint[], %(available)s::bigint[], %(committed)s::bigint[],
                         %(kinds)s::text[], %(notes)s::text[]) WITH ORDINALITY
               AS change (product_id, available, committed, kind, note, place)
"""


def words_to_lock(product_ids: str) -> str:
    """`Stock.objects.locked`, in the words that Django has for it, of what a subquery finds."""
    lock, _ = Stock.objects.locked([0]).values_list("product_id").query.sql_with_params()
    return str(lock.replace("IN (%s)", f"= ANY (ARRAY({product_ids}))"))


def values_to_move(changes: Mapping[int, Change], *, cause: Cause) -> dict[str, Any]:
    return {
        **values_of(cause),
        "product_ids": prepared.array(changes),
        "available": prepared.array(change.available for change in changes.values()),
        "committed": prepared.array(change.committed for change in changes.values()),
        "kinds": prepared.array(change.kind for change in changes.values()),
        "notes": prepared.texts(change.note or cause.note for change in changes.values()),
    }


def values_of(cause: Cause) -> dict[str, Any]:
    return {
        "order_uuid": cause.order_uuid,
        "done_by": cause.done_by,
        "key": cause.key,
        "fingerprint": cause.fingerprint,
        "request_id": current_request_id(),
    }


def write(changes: Mapping[int, Change], *, cause: Cause) -> list[tuple[Any, ...]]:
    """Change the counters and add the ledger's rows, in one statement: of each id, product id, available units after
    it, time, transaction. The caller has locked them before it looked, and has refused what must be."""
    sql = f"WITH change AS ({CHANGES}), {MOVE_STOCK} SELECT * FROM moved"  # noqa: S608
    return prepared.fetch(sql, values_to_move(changes, cause=cause))


def move_and_tell(changes: Mapping[int, Change], *, cause: Cause) -> list[StockMovement]:
    """`write`, with the ledger's rows as they are now, and told in the log once they are there for good."""
    movements = [
        movement(pk, changes[pk], after=after, cause=cause, id=id, created_at=time, transaction_id=transaction_id)
        for id, pk, after, time, transaction_id in write(changes, cause=cause)
    ]
    transaction.on_commit(partial(log_moves, movements), robust=True)
    return movements


def movement(product_id: int, change: Change, *, after: int, cause: Cause, **columns: Any) -> StockMovement:
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
        **columns,
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
