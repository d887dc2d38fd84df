from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog.errors import Shortage, shown
from ecommerce.errors import DomainError
from orders.lines import PricedItem
from orders.models import Order


class OrderTooLarge(DomainError):
    code = "order_too_large"


class PriceChanged(DomainError):
    """The total is not the one that the client expected. `items` are the lines as they would be sold now."""

    code = "price_changed"

    def __init__(self, items: Sequence[PricedItem], total: Decimal) -> None:
        self.items = items
        self.total = total
        super().__init__("The prices are not those that were expected.")

    def data(self) -> dict[str, Any]:
        return {
            "total_price": str(self.total),
            "items": [
                {
                    "product": item.product_uuid,
                    "sku": item.sku,
                    "quantity": item.quantity,
                    "price": str(item.price_at_time),
                    "subtotal": str(item.subtotal),
                }
                for item in self.items
            ],
        }


class OrderChanged(DomainError):
    code = "order_changed"

    def __init__(self) -> None:
        super().__init__("The order has changed since it was read. Look at it again.")


class HoldExpired(DomainError):
    """Its hold was over and its units went back on sale: too long ago, or they are not all for sale any more.

    `shortages` are those that are not, and none where it was too long ago.
    """

    code = "hold_expired"

    def __init__(self, shortages: Sequence[Shortage] = ()) -> None:
        self.shortages = list(shortages)
        super().__init__(
            "The hold is over, and not all of its units are still there."
            if shortages
            else "The hold has been over for more than a day."
        )

    def data(self) -> dict[str, Any]:
        return shown(self.shortages)


class IllegalMove(DomainError):
    code = "illegal_move"

    def __init__(self, order: Order, move: str) -> None:
        self.order = order
        self.move = move
        super().__init__(f"A {order.status} order{on_its_way(order)} cannot do this: {move}.")

    def data(self) -> dict[str, Any]:
        return {"order_status": self.order.status, "legal_moves": self.order.legal_moves}


def on_its_way(order: Order) -> str:
    return " that was handed over" if order.was_handed_over else ""


@dataclass(frozen=True)
class Excess:
    product_id: int
    wanted: int
    remaining: int


class QuantityNotCancellable(DomainError):
    """`lines` holds every product of which more was to be cancelled than the order still holds."""

    code = "quantity_not_cancellable"

    def __init__(self, lines: list[Excess]) -> None:
        self.lines = lines
        super().__init__("More units were to be cancelled than the order still holds.")

    def data(self) -> dict[str, Any]:
        return {
            "lines": [
                {"product": line.product_id, "wanted": line.wanted, "remaining": line.remaining} for line in self.lines
            ]
        }
