"""Steps for whoever brings many rows at once: a shop that moves in, a file of products."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model

from catalog.models import Product, Stock, StockMovement
from catalog.services import history
from catalog.services.stock import CHANGE_STOCK, Cause, Change, movement, write

BATCH = 5_000
T = TypeVar("T")
# By the highest id that is taken, and never backwards.
CHANGE_COUNTERS = f"""
    WITH change AS (
        SELECT product_id, available, 0 AS committed
          FROM unnest(%s::bigint[], %s::bigint[]) AS change (product_id, available)
    ) {CHANGE_STOCK}
"""  # noqa: S608 (a constant)
NUMBER_ONWARDS = """
    SELECT setval(sequence, greatest((SELECT max(id) FROM {table}), nextval(sequence)))
      FROM pg_get_serial_sequence('{table}', 'id') AS sequence
"""
# The running balance goes on from the counters as they are; both are written in one statement.
IMPORT_MOVES = """
    WITH moved AS (
        INSERT INTO catalog_stockmovement
               (product_id, kind, available_change, committed_change, available_after, order_uuid, done_by, fingerprint,
                note, request_id, created_at)
        SELECT move.product_id, move.kind, move.available_change, move.committed_change,
               stock.available + sum(move.available_change) OVER (PARTITION BY move.product_id ORDER BY move.place),
               move.order_uuid, %(done_by)s, '', move.note, '', move.created_at
          FROM {table} move JOIN catalog_stock stock USING (product_id)
         ORDER BY move.place
     RETURNING product_id, available_change, committed_change)
    UPDATE catalog_stock AS stock
       SET available = stock.available + change.available, committed = stock.committed + change.committed
      FROM (SELECT product_id, sum(available_change) AS available, sum(committed_change) AS committed
              FROM moved GROUP BY product_id) AS change
     WHERE stock.product_id = change.product_id
"""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What the database would write on each row of this transaction. With a default in a row, Django sends the rows as
    expressions one by one, which takes twice as long as columns of plain values."""

    created_at: datetime
    transaction_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """Units on sale that one product gains or loses, for an order if it has one."""

    product_id: int
    kind: StockMovement.Kind
    change: int
    order_uuid: UUID | None = None
    note: str = ""


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    left = iter(items)
    while some := list(islice(left, BATCH)):
        yield some


def stamp() -> Stamp:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now(), pg_current_xact_id()::text::bigint")
        created_at, transaction_id = cursor.fetchone()
    return Stamp(created_at=created_at, transaction_id=transaction_id)


@transaction.atomic(savepoint=False)
def import_products(products: Sequence[Product], *, opening: Sequence[int], done_by: str, note: str) -> None:
    """Add these products, with the first row of their history, and of their ledger where they open with stock."""
    Product.objects.bulk_create(products, batch_size=BATCH)
    cause = Cause(done_by=done_by, note=note)
    history.record_created([product.pk for product in products], cause=cause)
    Stock.objects.bulk_create([Stock(product_id=product.pk) for product in products], batch_size=BATCH)
    kind = StockMovement.Kind.OPENING
    units = [(product.pk, units) for product, units in zip(products, opening, strict=True) if units]
    for some in batches(units):
        write({pk: Change(kind=kind, available=n) for pk, n in some}, cause=cause)


@transaction.atomic(savepoint=False)
def import_moves(moves: Sequence[Move], *, done_by: str) -> None:
    """Write these moves, oldest first, each with the balance that it left. The caller sees to it that none is short."""
    after = {stock.pk: stock.available for stock in Stock.objects.locked({move.product_id for move in moves})}
    rows, now = [], stamp()
    for move in moves:
        after[move.product_id] += move.change
        rows.append(ledger_row(move, after=after[move.product_id], done_by=done_by, now=now))
    StockMovement.objects.bulk_create(rows, batch_size=BATCH)
    change_counters(moves)


@transaction.atomic(savepoint=False)
def import_moves_of_table(table: str, *, done_by: str) -> None:
    """The same by millions: of the rows of a table, in the order of their `place`. The caller has closed the shop."""
    with connection.cursor() as cursor:
        cursor.execute(IMPORT_MOVES.format(table=table), {"done_by": done_by})


def ledger_row(move: Move, *, after: int, done_by: str, now: Stamp) -> StockMovement:
    cause = Cause(done_by=done_by, order_uuid=move.order_uuid, note=move.note)
    row = movement(move.product_id, Change(kind=move.kind, available=move.change), after=after, cause=cause)
    row.created_at, row.transaction_id = now.created_at, now.transaction_id
    return row


def change_counters(moves: Iterable[Move]) -> None:
    changes: Counter[int] = Counter()
    for move in moves:
        changes[move.product_id] += move.change
    with connection.cursor() as cursor:
        cursor.execute(CHANGE_COUNTERS, [list(changes), list(changes.values())])
        if cursor.rowcount != len(changes):
            raise AssertionError("Units were moved of a product that has no stock.")


def number_onwards(*models: type[Model]) -> None:
    """New rows of these tables get ids beyond every id that was given. It outlives a rollback, so it comes last."""
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(NUMBER_ONWARDS.format(table=model._meta.db_table))
