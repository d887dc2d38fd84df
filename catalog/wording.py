"""What the books of the catalogue say, in words for staff."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.models import Product, ProductChange, ProductGroup, StockMovement
from ecommerce.people import names_of

Kind = StockMovement.Kind
LONGEST = 300
GROUP = "group_id"
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
    differences = differences_of([row.changes for row in rows])
    return [
        Told(
            version=row.version,
            kind=row.kind,
            who=names[row.done_by],
            note=row.note,
            at=row.created_at,
            differences=its,
        )
        for row, its in zip(rows, differences, strict=True)
    ]


def differences_of(changes: Sequence[Mapping[str, Sequence[Any]]]) -> list[list[Difference]]:
    """Of each of these `changes`, whose groups are asked for at once."""
    groups = names_of_groups({number for fields in changes for number in fields.get(GROUP, []) if number is not None})
    return [[difference(column, *pair, groups=groups) for column, pair in fields.items()] for fields in changes]


def names_of_groups(numbers: set[int]) -> dict[int, str]:
    """With the handle, since several groups may have one title."""
    known = ProductGroup.objects.in_bulk(numbers) if numbers else {}
    names = {group.pk: f"{group.title} ({group.handle})" if group.title else group.handle for group in known.values()}
    return {number: f"group {number} (gone)" for number in numbers} | names


def difference(column: str, old: Any, new: Any, *, groups: Mapping[int, str]) -> Difference:
    if column == GROUP:
        old, new = groups.get(old), groups.get(new)
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
