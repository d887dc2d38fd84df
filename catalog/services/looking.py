"""What the rows of an import would write to the products that are there, and which of them are outdated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from catalog.models import ImportRow, Product, ProductGroup, Stock, StockMovement
from catalog.services.fields import differing, fields_of, variant_of
from catalog.services.stock import Change

Kind = ImportRow.Kind
COUNTERS = ("pk", "available", "committed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """What one row does to a product of this version. `on_hand` are the units before and after."""

    line: int
    version: int
    fields: dict[str, Any]
    on_hand: tuple[int, int] | None
    kind: StockMovement.Kind

    @property
    def change(self) -> Change | None:
        if self.on_hand is None:
            return None
        before, after = self.on_hand
        return Change(kind=self.kind, available=after - before)


class Look:
    """Taken without a lock, since it takes long. Under the locks only what changed meanwhile is looked at again."""

    def __init__(self) -> None:
        self.writes: dict[int, Write] = {}  # by the id of the product
        self.outdated: set[int] = set()  # lines
        self.titles: dict[str, str] = {}  # of groups, by handle; empty where no line says one
        self.retitled: dict[str, set[int]] = {}  # the lines that do it, by handle
        self.titles_seen: dict[str, str] = {}  # before it

    def at(self, rows: Sequence[ImportRow]) -> None:
        uuids = [row.product_uuid for row in rows if row.product_uuid]
        found = Product.objects.filter(uuid__in=uuids).select_related("group")
        products: dict[UUID | None, Product] = {product.uuid: product for product in found}
        created = [row for row in rows if row.kind == Kind.CREATED]
        self.outdated |= {row.line for row in created if row.product_uuid in products} | there_by_now(created)
        for row in rows:
            if handle := row.values.get("handle"):
                self.see_title(row, handle)
            if row.kind != Kind.CREATED:
                self.at_product(row, products.get(row.product_uuid))
        handles = {row.values["handle"] for row in rows if row.values.get("handle") in self.retitled}
        self.titles_seen |= ProductGroup.objects.filter(handle__in=handles).titles()

    def see_title(self, row: ImportRow, handle: str) -> None:
        self.titles[handle] = row.values.get("title") or self.titles.get(handle, "")
        if "title" in row.before:
            self.retitled.setdefault(handle, set()).add(row.line)

    def at_product(self, row: ImportRow, product: Product | None) -> None:
        if product is None or (row.kind == Kind.UPDATED and is_outdated(row, product)):
            self.outdated.add(row.line)
        else:
            self.writes[product.pk] = write_of(row, product)

    def lock(self) -> list[int]:
        """From here on nobody else writes these products, their stock or the titles. The lines to look at once more."""
        stocks = {stock[0]: stock[1:] for stock in Stock.objects.locked(self.writes).values_list(*COUNTERS)}
        versions = dict(Product.objects.filter(pk__in=self.writes).values_list("pk", "version"))
        writes = self.writes.items()
        self.outdated |= {write.line for pk, write in writes if pk not in stocks or has_moved(write, *stocks[pk])}
        titles = ProductGroup.objects.locked(self.retitled).titles()
        moved = {handle for handle in self.retitled if titles.get(handle) != self.titles_seen.get(handle)}
        changed = {write.line for pk, write in writes if versions.get(pk) != write.version}
        return sorted(changed.union(*(self.retitled[handle] for handle in moved)))


def write_of(row: ImportRow, product: Product) -> Write:
    fields = {name: row.values[name] for name in row.before if name not in ("stock", "on_hand")}
    counted = row.kind == Kind.COUNTED
    on_hand = None
    if counted:
        on_hand = row.before["on_hand"], row.values["on_hand"]
    elif "stock" in row.before:
        on_hand = 0, row.values["stock"]
    kind = StockMovement.Kind.COUNTED if counted else StockMovement.Kind.RECEIVED
    return Write(line=row.line, version=product.version, fields=fields, on_hand=on_hand, kind=kind)


def has_moved(write: Write, available: int, committed: int) -> bool:
    if write.on_hand is None:
        return False
    before, after = write.on_hand
    return available + committed != before or after < committed


def is_outdated(row: ImportRow, product: Product) -> bool:
    fields = {name: value for name, value in row.before.items() if name != "stock"}
    return differing(fields_of(product), row.values) != fields


def there_by_now(created: Sequence[ImportRow]) -> set[int]:
    """Lines whose product somebody else has made in the meantime."""
    skus = [row.values["sku"] for row in created if "sku" in row.values]
    handles = {row.values["handle"] for row in created if "handle" in row.values}
    taken = set(Product.objects.filter(sku__in=skus).values_list("sku", flat=True))
    variants = Product.objects.filter(group__handle__in=handles).select_related("group")
    taken_variants = {variant_of(fields_of(product)) for product in variants}
    return {row.line for row in created if row.values.get("sku") in taken or variant_of(row.values) in taken_variants}
