"""An import in words and tables, for people."""

from collections.abc import Iterable
from typing import Any

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from catalog.importing.previewing import NOT_READ
from catalog.models import ImportRow, ProductImport
from ecommerce.people import names_of

Kind = ImportRow.Kind
State = ProductImport.State
# Errors first
TITLES = {
    Kind.REFUSED: "Errors",
    Kind.UPDATED: "Changes",
    Kind.CREATED: "New products",
    Kind.COUNTED: "Counts",
    Kind.UNCHANGED: "Unchanged",
}
NAMES = {
    "image_url": "picture",
    "is_active": "on sale",
    "low_stock_at": "low stock at",
    "on_hand": "on hand",
    "exported": "on hand when exported",
}
LONGEST_SHOWN = 200
PICTURE = (
    '<img src="{}" alt="" loading="lazy" referrerpolicy="no-referrer"'
    ' class="h-10 inline-block object-cover rounded-default w-10">'
)


def counts_of(product_import: ProductImport) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in product_import.counts.items() if count)


def kinds_of(product_import: ProductImport) -> list[tuple[str, str, int]]:
    """(kind, title, number of rows), of those that there are."""
    counts = product_import.counts
    return [(kind, title, counts[kind]) for kind, title in TITLES.items() if counts.get(kind)]


def facts_of(product_import: ProductImport) -> list[tuple[str, str]]:
    read_as = [(name, fact) for name, fact in product_import.read_as.items() if name != NOT_READ]
    steps = [
        ("Previewed", product_import.created_at, product_import.done_by),
        ("Imported", product_import.applied_at, product_import.applied_by),
        ("Taken back", product_import.undone_at, product_import.undone_by),
    ]
    names = names_of(who for _, _, who in steps)
    return [
        ("Format", product_import.get_format_display()),
        *read_as,
        *(
            (step, f"{date_format(localtime(time), 'DATETIME_FORMAT')} by {names[who]}")
            for step, time, who in steps
            if time
        ),
    ]


def shown_rows(rows: Iterable[ImportRow]) -> list[tuple[ImportRow, SafeString]]:
    return [(row, said(row)) for row in rows]


def said(row: ImportRow) -> SafeString:
    """Of a change the old and the new value of each field, of a new product all of it."""
    if row.kind == Kind.UNCHANGED:
        return SafeString("")
    if row.kind in (Kind.UPDATED, Kind.COUNTED):
        return lines((name, changed(name, old, row.values[name])) for name, old in row.before.items())
    return lines((name, value(name, new)) for name, new in row.values.items() if name not in ("sku", "name"))


def lines(parts: Iterable[tuple[str, SafeString]]) -> SafeString:
    shown = ((NAMES.get(name, name), part) for name, part in parts)
    return format_html(
        '<div class="flex flex-col gap-1 min-w-0">{}</div>',
        format_html_join("", '<div class="break-words min-w-0"><span class="text-subtle">{}</span> {}</div>', shown),
    )


def changed(name: str, old: Any, new: Any) -> SafeString:
    return format_html(
        '<del class="text-subtle">{}</del> <span aria-label="becomes">→</span> '
        '<ins class="font-medium text-primary-600 dark:text-primary-500">{}</ins>',
        value(name, old),
        value(name, new),
    )


def value(name: str, shown: Any) -> SafeString:
    """Pictures come from their own address, into the browser of whoever looks: the shop never fetches them."""
    if name == "image_url" and shown:
        return format_html(PICTURE + ' <span class="text-xs">{}</span>', shown, shortened(shown))
    if name == "options":
        return format_html("{}", ", ".join(f"{option}: {choice}" for option, choice in shown) or "none")
    if isinstance(shown, bool):
        return format_html("{}", "yes" if shown else "no")
    return format_html("{}", "nothing" if shown in (None, "") else shortened(str(shown)))


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]} ..."
