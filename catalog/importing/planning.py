"""What each row would do to the shop as it is now: the preview. Nothing is written here."""

from collections.abc import Iterable, Iterator
from typing import Any

from catalog.importing.formats import COUNTED, EXPORTED, FileRow
from catalog.models import ImportRow, Product, ProductImport, Stock, make_uuid
from catalog.services.fields import differing, fields_of, variant_of
from catalog.services.importing import batches

Kind = ImportRow.Kind
NO_SKU = "no sku tells which product is meant"
LONGEST_MESSAGE = ImportRow._meta.get_field("message").max_length or 0
LONGEST_LABEL = ImportRow._meta.get_field("label").max_length or 0


def plan(rows: Iterable[FileRow], kind: ProductImport.Format) -> Iterator[ImportRow]:
    """A row of the import for each row of the file, not saved. Memory holds a batch of them, and of the products."""
    decide = planned_count if kind == ProductImport.Format.INVENTORY else planned_product
    seen: dict[Any, int] = {}
    for some in batches(rows):
        shop = Shop(some)
        for row in some:
            refuse_double(row, shop.product(row), seen)
            yield refused(row, shop.product(row), *row.errors) if row.errors else decide(row, shop)


class Shop:
    """The products that the rows may mean: by sku, and variants by handle and values of the options."""

    def __init__(self, rows: list[FileRow]) -> None:
        skus = {row.values["sku"] for row in rows if "sku" in row.values}
        handles = {row.values["handle"] for row in rows if "handle" in row.values}
        products = Product.objects.select_related("stock", "group")
        self.by_sku = {product.sku: product for some in batches(skus) for product in products.filter(sku__in=some)}
        variants = [p for some in batches(handles) for p in products.filter(group__handle__in=some)]
        self.by_variant = {variant_of(fields_of(product)): product for product in variants}
        self.brought_before = brought_by_undone_imports(
            product for product in (*self.by_sku.values(), *variants) if not product.is_active
        )

    def product(self, row: FileRow) -> Product | None:
        return self.by_sku.get(row.values.get("sku", "")) or self.by_variant.get(variant_of(row.values))


def brought_by_undone_imports(archived: Iterable[Product]) -> set[Any]:
    """Undoing left them archived and took their stock back: importing them again brings it again."""
    undone = ImportRow.objects.filter(kind=Kind.CREATED, product_import__state=ProductImport.State.UNDONE)
    uuids = [product.uuid for product in archived]
    return {
        uuid
        for some in batches(uuids)
        for uuid in undone.filter(product_uuid__in=some).values_list("product_uuid", flat=True)
    }


def refuse_double(row: FileRow, product: Product | None, seen: dict[Any, int]) -> None:
    for key in (row.values.get("sku"), variant_of(row.values), product and product.pk):
        if key and seen.setdefault(key, row.line) != row.line:
            error = f"line {seen[key]} means the same product"
            row.errors += [] if error in row.errors else [error]
            break


def planned_product(row: FileRow, shop: Shop) -> ImportRow:
    product = shop.product(row)
    taken_by = shop.by_variant.get(variant_of(row.values))
    if product and taken_by and taken_by != product:
        return refused(row, product, f"this variant of {row.values['handle']} is {taken_by.sku}")
    return planned_update(row, product, shop) if product else planned_creation(row)


def planned_creation(row: FileRow) -> ImportRow:
    missing = [name for name in ("name", "price") if not row.values.get(name)]
    if not row.values.get("sku") and not row.values.get("handle"):
        return refused(row, None, NO_SKU)
    if missing:
        return refused(row, None, f"the shop has no such product, and a new one needs a {' and a '.join(missing)}")
    return planned(row, Kind.CREATED, None, message="; ".join(row.remarks))


def planned_update(row: FileRow, product: Product, shop: Shop) -> ImportRow:
    before = differing(fields_of(product), row.values)
    if row.values.get("stock") and product.uuid in shop.brought_before and product.stock.on_hand == 0:
        before["stock"] = 0
    return planned(row, Kind.UPDATED if before else Kind.UNCHANGED, product, before=before)


def planned_count(row: FileRow, shop: Shop) -> ImportRow:
    product = shop.product(row)
    if product is None:
        return refused(row, None, "no product has this sku" if "sku" in row.values else NO_SKU)
    counted, exported = row.values.get("on_hand"), row.values.get("exported")
    if counted is None or counted == exported:
        return planned(row, Kind.UNCHANGED, product)
    if problem := problem_of_count(counted, exported, product.stock):
        return refused(row, product, problem)
    on_hand = product.stock.on_hand
    return planned(row, Kind.COUNTED, product, before={"on_hand": on_hand}, message=f"{counted - on_hand:+,} units")


def problem_of_count(counted: int, exported: int | None, stock: Stock) -> str:
    if exported is None:
        return f"{EXPORTED} is empty, so nobody knows whether it moved since"
    if stock.on_hand != exported:
        return f"moved since: {exported:,} when it was exported, {stock.on_hand:,} now"
    if counted < stock.committed:
        return f"{COUNTED}: {stock.committed:,} units are sold or held, so fewer cannot be on the shelf"
    return ""


def refused(row: FileRow, product: Product | None, *reasons: str) -> ImportRow:
    return planned(row, Kind.REFUSED, product, message="; ".join(reasons))


def planned(
    row: FileRow,
    kind: ImportRow.Kind,
    product: Product | None,
    *,
    before: dict[str, Any] | None = None,
    message: str = "",
) -> ImportRow:
    """A new product has its uuid from now on."""
    return ImportRow(
        line=row.line,
        kind=kind,
        product_uuid=product.uuid if product else make_uuid() if kind == Kind.CREATED else None,
        label=label_of(row, product)[:LONGEST_LABEL],
        values=row.values,
        before=before or {},
        errors=row.errors,
        message=message[:LONGEST_MESSAGE],
    )


def label_of(row: FileRow, product: Product | None) -> str:
    return str(product or row.values.get("name") or row.values.get("sku") or row.values.get("handle") or "")
