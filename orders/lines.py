from decimal import Decimal
from typing import NamedTuple
from uuid import UUID


class PricedItem(NamedTuple):
    """A line of an order that is only just placed, or not yet: what an OrderItem says, as a plain row."""

    product_id: int
    product_uuid: UUID
    sku: str
    product_name: str
    quantity: int
    price_at_time: Decimal
    subtotal: Decimal
    cancelled_quantity: int = 0
