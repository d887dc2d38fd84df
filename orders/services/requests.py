from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from orders.models import Order, OrderItem


@dataclass(frozen=True)
class Line:
    product_id: int
    quantity: int


@dataclass(frozen=True, kw_only=True)
class OrderRequest:
    """Who wants what. With a `key` it is placed once however often it is sent; `fingerprint` then tells a retry from
    another request. With a `hold` the order waits that long to be completed; with `ship_to` its units wait for that."""

    lines: list[Line]
    placed_by: str
    key: str | None = None
    fingerprint: str = ""
    customer: Mapping[str, str] = field(default_factory=dict)
    ship_to: Mapping[str, str] | None = None
    reference: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    hold: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Placed:
    order: Order
    items: list[OrderItem]
    replayed: bool = False
