"""What a shop says to a basket: an order, a refusal, or what it should not."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Self

Basket = Mapping[int, int]  # product id -> quantity


@dataclass(frozen=True, kw_only=True)
class Line:
    product_id: int
    product_name: str
    quantity: int
    price_at_time: Decimal
    subtotal: Decimal

    @classmethod
    def read(cls, item: Any) -> Self:
        return cls(
            product_id=item["product_id"],
            product_name=item["product_name"],
            quantity=item["quantity"],
            price_at_time=amount(item["price_at_time"]),
            subtotal=amount(item["subtotal"]),
        )

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id} {self.product_name} at {self.price_at_time} = {self.subtotal}"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """An accepted order as the shop tells it."""

    id: int
    lines: list[Line]
    total_price: Decimal
    status: str

    @classmethod
    def read(cls, body: Any) -> Self | None:
        """None if this is not the JSON of an order."""
        try:
            lines = [Line.read(item) for item in body["items"]]
            total = amount(body["total_price"])
            return cls(id=int(body["id"]), lines=lines, total_price=total, status=str(body["status"]))
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the shop said to one basket, after its retries. Status 0: it said nothing, and the outcome is unknown."""

    basket: Basket
    status: int
    body: Any
    retries: int = 0
    is_replay: bool = False
    seconds: float = 0.0

    @cached_property
    def receipt(self) -> Receipt | None:
        return Receipt.read(self.body) if self.status == 201 else None

    @property
    def is_refusal(self) -> bool:
        return self.status in (400, 409) and self.code == "insufficient_stock"

    @property
    def is_unexpected(self) -> bool:
        return not self.receipt and not self.is_refusal

    @property
    def code(self) -> str:
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""

    @property
    def detail(self) -> str:
        return detail_of(self.body)


def amount(value: Any) -> Decimal:
    """Money, which the classic API writes as a JSON number. TypeError if it is anything else."""
    if not isinstance(value, int | Decimal):
        raise TypeError(value)
    return Decimal(value)


def detail_of(body: Any) -> str:
    """What a refusal says, on one line."""
    detail = body.get("detail", body) if isinstance(body, dict) else body
    return " ".join(str(detail)[:200].split())
