"""What an order's lines come to, and what the shop says no to before it locks anything."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import TextField
from django.db.models.functions import Cast, Now

from catalog.errors import InsufficientStock, Shortage, UnknownProduct
from catalog.models import Product, Reference
from ecommerce import prepared
from orders.errors import OrderTooLarge, PriceChanged
from orders.models import MAX_LINES, MAX_QUANTITY, MAX_TOTAL, OrderItem
from orders.services.requests import Line, OrderRequest


@dataclass(frozen=True, kw_only=True)
class Basket:
    """The lines of a request, merged and priced; quantities by product id, in the order of the request."""

    quantities: dict[int, int]
    items: list[OrderItem]
    total: Decimal
    read_at: datetime


def read_basket(request: OrderRequest, *, also_available: Mapping[int, int] | None = None) -> Basket:
    """One statement and no lock: what is plainly short is spared it, what suffices is looked at again under it.

    Raises UnknownProduct, InsufficientStock, OrderTooLarge, PriceChanged.
    """
    refuse_odd_number(request.lines)
    found, available, read_at = products_on_sale(request.lines)
    quantities = merged(request.lines, found)
    products = {product.pk: product for product in found.values()}
    items = [item(products[pk], quantity) for pk, quantity in quantities.items()]
    refuse_other_total(items, request.expected_total)
    for pk, units in (also_available or {}).items():
        available[pk] = available.get(pk, 0) + units
    refuse_short(quantities, products, available)
    return Basket(quantities=quantities, items=items, total=total_of(items), read_at=read_at)


def refuse_odd_number(lines: list[Line]) -> None:
    if not lines or any(line.quantity < 1 for line in lines):
        raise ValueError("an order has at least one line, and each at least one unit")
    if len(lines) > MAX_LINES:
        raise OrderTooLarge(f"An order has at most {MAX_LINES} lines.")


COLUMNS = ["id", "uuid", "sku", "name", "price"]


def products_on_sale(lines: list[Line]) -> tuple[dict[Reference, Product], dict[int, int], datetime]:
    """The products, what is available of each by its id, unlocked, and the time by the database's clock."""
    references = {line.product for line in lines}
    found: dict[Reference, Product] = {}
    available: dict[int, int] = {}
    rows = rows_of(references)
    for *columns, units, _ in rows:
        product = Product.from_db("default", COLUMNS, columns)
        available[product.pk] = units
        found |= {name: product for name in product.references if name in references}
    if unknown := [line.product for line in lines if line.product not in found]:
        raise UnknownProduct(*unknown)
    return found, available, datetime.fromisoformat(rows[0][-1])


def rows_of(references: Collection[Reference]) -> list[tuple[Any, ...]]:
    by_kind: dict[type, list[Any]] = {}
    for name in references:
        by_kind.setdefault(type(name), []).append(name)
    return prepared.fetch(
        words_to_read(*by_kind), {kind.__name__: prepared.texts(map(str, names)) for kind, names in by_kind.items()}
    )


EXAMPLES: dict[type, Reference] = {int: 1, UUID: UUID(int=1), str: "sku"}
ARRAYS: dict[type, str] = {int: "bigint[]", UUID: "uuid[]", str: "text[]"}


@lru_cache
def words_to_read(*kinds: type) -> str:
    """The statement that Django makes of references of these kinds, made once: it takes a millisecond."""
    now = Cast(Now(), TextField())  # to be read once, and not for each row
    read = Product.objects.on_sale().referred_to(EXAMPLES[kind] for kind in kinds).annotate(read_at=now)
    sql = str(read.values_list(*COLUMNS, "stock__available", "read_at").query.sql_with_params()[0])
    for kind in kinds:
        sql = sql.replace("IN (%s)", f"= ANY (%({kind.__name__})s::{ARRAYS[kind]})", 1)
    return sql


def merged(lines: list[Line], products: Mapping[Reference, Product]) -> dict[int, int]:
    """Units by product id; a product that stands twice keeps its first place."""
    quantities: dict[int, int] = {}
    for line in lines:
        pk = products[line.product].pk
        quantities[pk] = quantities.get(pk, 0) + line.quantity
    if max(quantities.values()) > MAX_QUANTITY:
        raise OrderTooLarge(f"An order has at most {MAX_QUANTITY} units of a product.")
    return quantities


def refuse_other_total(items: list[OrderItem], expected: Decimal | None) -> None:
    """Before what is short: whoever is told of that can then subtract it from the right total."""
    if expected is not None and expected != (total := total_of(items)):
        raise PriceChanged(items, total)


def refuse_short(quantities: Mapping[int, int], products: Mapping[int, Product], available: Mapping[int, int]) -> None:
    shortages = [
        Shortage(products[pk], wanted, available[pk]) for pk, wanted in quantities.items() if available[pk] < wanted
    ]
    if shortages:
        raise InsufficientStock(shortages)


def item(product: Product, quantity: int) -> OrderItem:
    """The price is the shop's own; what the client believes it to be is only compared."""
    priced = OrderItem(
        product_id=product.pk,
        sku=product.sku,
        product_name=product.name,
        quantity=quantity,
        price_at_time=product.price,
        subtotal=quantity * product.price,
    )
    priced.product_uuid = product.uuid
    return priced


def total_of(items: list[OrderItem]) -> Decimal:
    total = sum((item.subtotal for item in items), Decimal())
    if total > MAX_TOTAL:
        raise OrderTooLarge(f"The total is above {MAX_TOTAL}.")
    return total
