"""What an order's lines come to, and what the shop says no to before it locks anything."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db.models import TextField
from django.db.models.functions import Cast, Now

from catalog.errors import InsufficientStock, Shortage, UnknownProduct
from catalog.models import Product, Reference
from catalog.offers import Offer
from ecommerce import prepared
from orders.errors import OrderTooLarge, PriceChanged
from orders.lines import PricedItem
from orders.models import MAX_LINES, MAX_QUANTITY, MAX_TOTAL
from orders.services.requests import Line, OrderRequest


@dataclass(frozen=True, kw_only=True)
class Basket:
    """The lines of a request, merged and priced; quantities by product id, in the order of the request."""

    quantities: dict[int, int]
    items: list[PricedItem]
    total: Decimal


def read_basket(request: OrderRequest, *, also_available: Mapping[int, int] | None = None) -> tuple[Basket, datetime]:
    """One statement and no lock; and the time by the database's clock. Raises as `basket_of`."""
    refuse_odd_number(request.lines)
    rows = rows_of({line.product for line in request.lines})
    basket = basket_of(request, [Offer._make(row[:-1]) for row in rows], also_available=also_available or {})
    return basket, datetime.fromisoformat(rows[0][-1])


def basket_of(
    request: OrderRequest, found: Iterable[Offer], *, also_available: Mapping[int, int] = MappingProxyType({})
) -> Basket:
    """Raises UnknownProduct, InsufficientStock, OrderTooLarge, PriceChanged."""
    named = by_name(request.lines, found)
    quantities = merged(request.lines, named)
    offers = {offer.pk: offer for offer in named.values()}
    items = [priced(offers[pk], quantity) for pk, quantity in quantities.items()]
    refuse_other_total(items, request.expected_total)
    refuse_short(quantities, offers, also_available)
    return Basket(quantities=quantities, items=items, total=total_of(items))


def refuse_odd_number(lines: list[Line]) -> None:
    if not lines or any(line.quantity < 1 for line in lines):
        raise ValueError("an order has at least one line, and each at least one unit")
    if len(lines) > MAX_LINES:
        raise OrderTooLarge(f"An order has at most {MAX_LINES} lines.")


def by_name(lines: list[Line], found: Iterable[Offer]) -> dict[Reference, Offer]:
    """Each as the lines name it. Raises UnknownProduct."""
    names = {line.product for line in lines}
    named = {name: offer for offer in found for name in offer.references if name in names}
    if unknown := [line.product for line in lines if line.product not in named]:
        raise UnknownProduct(*unknown)
    return named


# By the kind of a reference: one of it, and what PostgreSQL calls its type.
EXAMPLE_OF: dict[type, Reference] = {int: 1, UUID: UUID(int=1), str: ""}
TYPE_OF: dict[type, str] = {int: "bigint", UUID: "uuid", str: "text"}


def rows_of(references: Collection[Reference]) -> list[tuple[Any, ...]]:
    by_kind: dict[type, list[Reference]] = {}
    for name in references:
        by_kind.setdefault(type(name), []).append(name)
    values = {kind.__name__: prepared.texts(map(str, names)) for kind, names in by_kind.items()}
    return prepared.fetch(words_to_read(*by_kind), values)


@lru_cache
def words_to_read(*kinds: type) -> str:
    """The statement that Django makes of references of these kinds, made once: it takes a millisecond."""
    now = Cast(Now(), TextField())  # to be read once, and not for each row
    read = Product.objects.on_sale().referred_to(EXAMPLE_OF[kind] for kind in kinds).annotate(read_at=now)
    rows = read.values_list("pk", "uuid", "sku", "name", "price", "stock__available", "read_at")
    sql = str(rows.query.sql_with_params()[0])
    for kind in kinds:
        sql = sql.replace("IN (%s)", f"= ANY (%({kind.__name__})s::{TYPE_OF[kind]}[])", 1)
    return sql


def merged(lines: list[Line], named: Mapping[Reference, Offer]) -> dict[int, int]:
    """Units by product id; a product that stands twice keeps its first place."""
    quantities: dict[int, int] = {}
    for line in lines:
        pk = named[line.product].pk
        quantities[pk] = quantities.get(pk, 0) + line.quantity
    if max(quantities.values()) > MAX_QUANTITY:
        raise OrderTooLarge(f"An order has at most {MAX_QUANTITY} units of a product.")
    return quantities


def refuse_other_total(items: list[PricedItem], expected: Decimal | None) -> None:
    """Before what is short: whoever is told of that can then subtract it from the right total."""
    if expected is not None and expected != (total := total_of(items)):
        raise PriceChanged(items, total)


def refuse_short(quantities: Mapping[int, int], offers: Mapping[int, Offer], also: Mapping[int, int]) -> None:
    available = {pk: offers[pk].available + also.get(pk, 0) for pk in quantities}
    if short := [pk for pk, wanted in quantities.items() if available[pk] < wanted]:
        raise InsufficientStock([Shortage(offers[pk], quantities[pk], available[pk]) for pk in short])


def priced(offer: Offer, quantity: int) -> PricedItem:
    """The price is the shop's own; what the client believes it to be is only compared."""
    return PricedItem(
        product_id=offer.pk,
        product_uuid=offer.uuid,
        sku=offer.sku,
        product_name=offer.name,
        quantity=quantity,
        price_at_time=offer.price,
        subtotal=quantity * offer.price,
    )


def total_of(items: list[PricedItem]) -> Decimal:
    total = sum((item.subtotal for item in items), Decimal())
    if total > MAX_TOTAL:
        raise OrderTooLarge(f"The total is above {MAX_TOTAL}.")
    return total
