"""What people and programs do to the stock, orders aside: units arrive, are lost, are found, are counted."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Sum

from catalog.errors import (
    CountBelowCommitted,
    InsufficientStock,
    ProductTwice,
    Shortage,
    StockMoved,
    UnknownProduct,
)
from catalog.models import Product, Reference, Stock, StockMovement
from catalog.services.stock import Cause, Change, lock, move_and_tell
from ecommerce.errors import IdempotencyMismatch

Kind = StockMovement.Kind
LOOKED_BACK = 100  # movements


@dataclass(frozen=True, kw_only=True)
class StockMove:
    """`quantity` is units that arrived (RECEIVED), units to add or with a minus to remove (ADJUSTED), or all units that
    lie on the shelf (COUNTED). With `expected`, that many must lie there before."""

    product: Reference
    kind: StockMovement.Kind
    quantity: int
    expected: int | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Moved:
    movements: list[StockMovement]
    replayed: bool = False


@transaction.atomic(savepoint=False)
def move_stock(moves: Sequence[StockMove], *, cause: Cause) -> Moved:
    """All of these moves or none, each product at most once; under a key that was used, what was done then.

    Raises UnknownProduct, ProductTwice, StockMoved, InsufficientStock (with every short line), CountBelowCommitted,
    IdempotencyMismatch.
    """
    cause = replace(cause, fingerprint=fingerprint_of(moves) if cause.key is not None else "")
    if earlier := moved_before(cause):
        return Moved(movements=earlier, replayed=True)
    products = products_of(moves)
    stocks = {stock.pk: stock for stock in lock([product.pk for product in products])}
    if gone := [move.product for product, move in zip(products, moves, strict=True) if product.pk not in stocks]:
        raise UnknownProduct(*gone)
    changes: dict[int, Change] = {}
    for product, move in zip(products, moves, strict=True):
        refuse_unexpected(product, move, stocks[product.pk])
        changes[product.pk] = change_of(move, stocks[product.pk])
    refuse_below_zero(products, changes, stocks)
    movements = move_and_tell(changes, cause=cause)
    for product, movement in zip(products, movements, strict=True):
        movement.product = product
    return Moved(movements=movements)


def receive_stock(product: Reference, quantity: int, *, cause: Cause) -> StockMovement:
    """Put newly arrived units on sale."""
    return moved_one(StockMove(product=product, kind=Kind.RECEIVED, quantity=quantity), cause=cause)


def adjust_stock(product: Reference, change: int, *, cause: Cause) -> StockMovement:
    """Add or remove units that are on sale: found, broken, lost. Raises InsufficientStock."""
    return moved_one(StockMove(product=product, kind=Kind.ADJUSTED, quantity=change), cause=cause)


def count_stock(product: Reference, on_hand: int, *, cause: Cause) -> StockMovement:
    """Make the books say what a person counted on the shelf, committed units included.

    Raises CountBelowCommitted, with the orders that hold the units, when fewer lie there than are committed.
    """
    return moved_one(StockMove(product=product, kind=Kind.COUNTED, quantity=on_hand), cause=cause)


def moved_one(move: StockMove, *, cause: Cause) -> StockMovement:
    [movement] = move_stock([move], cause=cause).movements
    return movement


def fingerprint_of(moves: Sequence[StockMove]) -> str:
    return hashlib.sha256(repr(list(moves)).encode()).hexdigest()


def moved_before(cause: Cause) -> list[StockMovement]:
    """What this key has moved. Rivals with the same key take turns here, whichever products they name."""
    if cause.key is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{cause.done_by} {cause.key}"])
    moved = StockMovement.objects.filter(done_by=cause.done_by, idempotency_key=cause.key).order_by("pk")
    earlier = list(moved.select_related("product"))
    if any(movement.fingerprint != cause.fingerprint for movement in earlier):
        raise IdempotencyMismatch
    return earlier


def products_of(moves: Sequence[StockMove]) -> list[Product]:
    """The product of each move, archived ones too."""
    found = {
        name: product
        for product in Product.objects.referred_to({move.product for move in moves})
        for name in product.references
    }
    if unknown := [move.product for move in moves if move.product not in found]:
        raise UnknownProduct(*unknown)
    seen: set[int] = set()
    for move in moves:
        if found[move.product].pk in seen:
            raise ProductTwice(found[move.product])
        seen.add(found[move.product].pk)
    return [found[move.product] for move in moves]


def change_of(move: StockMove, stock: Stock) -> Change:
    gained = move.quantity - stock.on_hand if move.kind == Kind.COUNTED else move.quantity
    return Change(kind=move.kind, available=gained, note=move.note)


def refuse_unexpected(product: Product, move: StockMove, stock: Stock) -> None:
    if move.expected in (None, stock.on_hand):
        return
    raise StockMoved(product, expected=move.expected, on_hand=stock.on_hand, since=moved_since(move.expected, stock))


def moved_since(expected: int, stock: Stock) -> list[StockMovement]:
    """The latest movements, newest first, back to when `expected` units lay on the shelf; at most 100."""
    since = []
    on_hand = stock.on_hand
    for movement in StockMovement.objects.filter(product_id=stock.pk).order_by("-pk")[:LOOKED_BACK]:
        if on_hand == expected:
            break
        since.append(movement)
        on_hand -= movement.available_change + movement.committed_change
    return since


def refuse_below_zero(products: list[Product], changes: dict[int, Change], stocks: dict[int, Stock]) -> None:
    short = [product for product in products if stocks[product.pk].available + changes[product.pk].available < 0]
    for product in short:
        if changes[product.pk].kind == Kind.COUNTED:
            stock = stocks[product.pk]
            raise CountBelowCommitted(product, committed=stock.committed, holders=holders_of(stock))
    if short:
        raise InsufficientStock([Shortage(p, -changes[p.pk].available, stocks[p.pk].available) for p in short])


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
