"""When a shop is busy: by hour, by weekday, and more from month to month."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
BY_HOUR = [4, 2, 1, 1, 1, 2, 5, 12, 22, 30, 36, 38, 40, 36, 33, 34, 36, 40, 46, 55, 60, 48, 28, 12]
BY_WEEKDAY = [1.1, 1.0, 0.95, 1.0, 1.05, 0.8, 1.25]
GROWTH = 0.6  # from the first day to the last


@dataclass(frozen=True, kw_only=True)
class Hour:
    start: datetime
    length: timedelta
    orders: int


def hours_of(orders: int, *, days: int, now: datetime, zone: ZoneInfo) -> list[Hour]:
    """That many orders over the hours of these days up to now, the last of which has only begun."""
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
    starts = [first + number * HOUR for number in range(days * 24 + 1)]
    lengths = [min(HOUR, now - start) for start in starts]
    weights = [
        busyness(start.astimezone(zone)) * (1 + GROWTH * number / len(starts)) * (length / HOUR)
        for number, (start, length) in enumerate(zip(starts, lengths, strict=True))
    ]
    whole = sum(weights)
    until = [round(orders * part / whole) for part in accumulate(weights, initial=0.0)]
    counts = [after - before for before, after in pairwise(until)]
    return [
        Hour(start=start, length=length, orders=count)
        for start, length, count in zip(starts, lengths, counts, strict=True)
    ]


def busyness(local: datetime) -> float:
    return BY_HOUR[local.hour] * BY_WEEKDAY[local.weekday()]


def portions(hours: Sequence[Hour], *, number: int) -> Iterator[Sequence[Hour]]:
    """At most that many stretches of whole hours, one after the other."""
    size = -(-len(hours) // number)
    for start in range(0, len(hours), size):
        yield hours[start : start + size]
