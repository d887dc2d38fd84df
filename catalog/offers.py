from decimal import Decimal
from typing import NamedTuple
from uuid import UUID


class Offer(NamedTuple):
    """A product on sale, as an order reads it: a plain row, since an instance of the model takes ten times as long."""

    pk: int
    uuid: UUID
    sku: str
    name: str
    price: Decimal
    available: int

    def __str__(self) -> str:
        return self.name

    @property
    def references(self) -> tuple[int, UUID, str]:
        return self.pk, self.uuid, self.sku
