"""What a replay sells: the baskets of a file, and an offer for every item in them."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from pathlib import Path
from random import Random

SEED = 1
# Stock as a share of the demand. Of 9,835 real grocery baskets these let 93 % pass, and sell out 24 of the 169 items.
SCARCEST, AMPLEST = 0.8, 1.6


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A product as the replay puts it on sale."""

    name: str
    price: Decimal
    stock: int


def read_baskets(path: Path) -> list[Counter[str]]:
    """A basket per line, how many of each item. Raises OSError, UnicodeDecodeError or csv.Error."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        baskets = [Counter(item.strip() for item in row if item.strip()) for row in csv.reader(file)]
    return [basket for basket in baskets if basket]


def draw_offers(baskets: Iterable[Counter[str]]) -> list[Offer]:
    """An offer per item, in the order of first appearance; the same baskets always draw the same."""
    demand: Counter[str] = Counter()
    for basket in baskets:
        demand.update(basket)
    draw = Random(SEED)  # noqa: S311 (it must repeat, not be secret)
    offers = []
    for name, units in demand.items():
        price, stock = Decimal(draw.randint(49, 1999)) / 100, ceil(units * draw.uniform(SCARCEST, AMPLEST))
        offers.append(Offer(name=name, price=price, stock=stock))
    return offers
