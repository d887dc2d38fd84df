"""How many prices are changed at once."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from catalog.models import MAX_PRICE

CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class PriceRule:
    """`ending` are the cents that a price is to have, 0 to 0.99; None leaves them as they come."""

    is_percentage: bool
    change: Decimal
    ending: Decimal | None = None

    def of(self, price: Decimal) -> Decimal | None:
        """The new price; None where it would be none that a product can have."""
        changed = price * (100 + self.change) / 100 if self.is_percentage else price + self.change
        new = changed.quantize(CENT, ROUND_HALF_UP) if self.ending is None else nearest(changed, ending=self.ending)
        return new if 0 < new <= MAX_PRICE else None


def nearest(price: Decimal, *, ending: Decimal) -> Decimal:
    """Of two that are equally near, the higher."""
    whole = price.quantize(Decimal(1), ROUND_FLOOR)
    candidates = [(whole + step + ending).quantize(CENT) for step in (1, 0, -1)]
    return min(candidates, key=lambda candidate: abs(candidate - price))
