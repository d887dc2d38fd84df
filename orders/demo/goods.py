"""What the demo sells, by names and prices that a shop could have."""

import random
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import cycle, islice, product

from catalog.models import Product

CENT = Decimal("0.01")


def goods(ids: Sequence[int], *, words: dict[str, list[str]], since: datetime) -> list[Product]:
    chance = random.Random(1)  # noqa: S311 (the same shop each time)
    names = islice(cycle(product(words["colours"], words["kinds"], words["things"])), len(ids))
    return [
        Product(
            id=number,
            sku=f"DEMO-{number:06}",
            name=f"{kind} {thing}, {colour}",
            description=f"A {thing} of {kind.lower()} in {colour}. Made in small numbers, and made to last.",
            price=int(4 + 300 * chance.random() ** 3) - CENT,
            is_active=chance.random() > 0.02,
            low_stock_at=chance.choice([5, 8, 10, 12, 20, None, None]),
            created_at=since,
            updated_at=since,
        )
        for number, (colour, kind, thing) in zip(ids, names, strict=True)
    ]
