"""What the books of the catalogue say, in words for staff."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.models import Product, ProductChange, StockMovement
from ecommerce.people import names_of

Kind = StockMovement.Kind
LONGEST = 300
SENTENCES = {
    Kind.OPENING: "Stock it opened with",
    Kind.RECEIVED: "Units arrived",
    Kind.ADJUSTED: "Adjusted by hand",
    Kind.COUNTED: "Counted on the shelf",
    Kind.ORDERED: "An order took them",
    Kind.RETAKEN: "An order took them again after its hold",
    Kind.COMPLETED: "Handed over to the customer",
    Kind.SHIPPED: "Shipped",
    Kind.CANCELLED: "Cancelled before they left the shelf",
    Kind.RETURNED: "Came back from the customer",
}


@dataclass(frozen=True, kw_only=True)
class Difference:
    field: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Told:
    """A change as the history of a product tells it."""

    version: int
    kind: str
    who: str
    note: str
    at: datetime
    differences: list[Difference]


def told(changes: Iterable[ProductChange]) -> list[Told]:
    rows = list(changes)
    names = names_of(row.done_by for row in rows)
    return [
        Told(
            version=row.version,
            kind=row.kind,
            who=names[row.done_by],
            note=row.note,
            at=row.created_at,
            differences=[difference(column, old, new) for column, (old, new) in row.changes.items()],
        )
        for row in rows
    ]


def difference(column: str, old: Any, new: Any) -> Difference:
    return Difference(field=label_of(column), old=in_words(old), new=in_words(new))


def label_of(column: str) -> str:
    return str(Product._meta.get_field(column).verbose_name)  # type: ignore[union-attr]


def in_words(value: Any) -> str:
    if value in (None, "", []):
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(f"{name}: {option}" for name, option in value)
    text = str(value)
    return f"{text[:LONGEST]} …" if len(text) > LONGEST else text
