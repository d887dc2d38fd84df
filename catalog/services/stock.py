from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
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

    Locks the rows until the transaction ends. Raises InsufficientStock with every short line; then nothing changed.
    """
    available = lock_available(quantities)
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


def lock_available(product_ids: Collection[int]) -> dict[int, int]:
    """`Stock.objects.locked`, in the words that Django has for it and without its taking a millisecond to find them."""
    rows = prepared.fetch(words_to_lock(len(product_ids)), [prepared.number(pk) for pk in product_ids])
    return dict(rows)


@lru_cache
def words_to_lock(number: int) -> str:
    rows = Stock.objects.locked(range(number)).values_list("product_id", "available")
    return str(rows.query.sql_with_params()[0])


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
MOVE_STOCK = f"""
    WITH changed AS ({CHANGE_STOCK})
    INSERT INTO catalog_stockmovement (product_id, available_after, available_change, committed_change, kind, note,
                order_uuid, done_by, idempotency_key, fingerprint, request_id)
    SELECT changed.product_id, changed.available, move.available, move.committed, move.kind, move.note,
                %s, %s, %s, %s, %s
      FROM changed
      JOIN unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[])
           WITH ORDINALITY AS move (product_id, available, committed, kind, note, place) USING (product_id)
     ORDER BY place
 RETURNING id, product_id, available_after, created_at, transaction_id
"""  # noqa: S608 (both are constants)


def write(changes: Mapping[int, Change], *, cause: Cause) -> list[tuple[Any, ...]]:
    """Change the counters and add the ledger's rows, in one statement: of each id, product id, available units after
    it, time, transaction. The caller holds the locks and has refused what must be."""
    counters = [
        prepared.array(changes),
        prepared.array(change.available for change in changes.values()),
        prepared.array(change.committed for change in changes.values()),
    ]
    kinds = prepared.array(change.kind for change in changes.values())
    notes = [change.note or cause.note for change in changes.values()]
    why = [cause.order_uuid, cause.done_by, cause.key, cause.fingerprint, current_request_id()]
    written = prepared.fetch(MOVE_STOCK, [*counters, *why, *counters, kinds, notes])
    if len(written) != len(changes):
        raise AssertionError("Stock changed without a lock: some rows could not take their change.")
    return written


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
