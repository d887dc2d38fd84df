from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from catalog.errors import UnknownProduct
from catalog.models import Reference
from orders.lines import PricedItem
from orders.models import Order, OrderItem


@dataclass(frozen=True)
class Line:
    product: Reference
    quantity: int


@dataclass(frozen=True, kw_only=True)
class OrderRequest:
    """Who wants what. With a `key` it is placed once however often it is sent; `fingerprint` then tells a retry from
    another request. With a `hold` the order waits that long to be completed; with `ship_to` its units wait for that.
    With an `expected_total` it is placed at that price or not at all."""

    lines: list[Line]
    placed_by: str
    key: str | None = None
    fingerprint: str = ""
    customer: Mapping[str, str] = field(default_factory=dict)
    ship_to: Mapping[str, str] | None = None
    reference: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    hold: timedelta | None = None
    expected_total: Decimal | None = None


def products_named(order: Order, lines: list[Line]) -> list[int]:
    """The product id of each line, among those of an order that was read `with_lines`. Raises UnknownProduct."""
    ids: dict[Reference, int] = {}
    for item in order.lines:
        ids |= {item.product_uuid: item.product_id, item.sku: item.product_id}
    if unknown := [line.product for line in lines if line.product not in ids]:
        raise UnknownProduct(*unknown)
    return [ids[line.product] for line in lines]


@dataclass(frozen=True, kw_only=True)
class Placed:
    order: Order
    items: Sequence[OrderItem | PricedItem]
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What an order would be if it were placed at `as_of`, by the database's clock."""

    items: list[PricedItem]
    total_price: Decimal
    as_of: datetime
