"""An import is taken back: what it made goes, what it changed is as before, unless somebody has gone on from there."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from catalog.models import ImportRow, ImportRowQuerySet, Product, ProductGroup, ProductImport, Stock, StockMovement
from catalog.services.fields import Seen, are_alike, fields_of, write_columns
from catalog.services.importing import BATCH
from catalog.services.imports import CHANGING, Kind, State, columns_of, opened
from catalog.services.products import delete_rows
from catalog.services.stock import Cause, Change, write
from ecommerce.database import take_time

NAMES = {"image_url": "picture url", "is_active": "on sale", "low_stock_at": "low stock at"}


@transaction.atomic(savepoint=False)
def undo_import(import_id: int, *, done_by: str) -> ProductImport:
    """Take back what an import did; `report` of what is returned says what had to stay.

    Raises ImportNotOpen, and SkuTaken or VariantTaken where another product has got what would be restored.

    What it made is deleted where untouched, else archived; units that it brought are taken back as far as they were not
    sold; a field is restored where it still holds what the import wrote.
    """
    take_time()
    product_import = opened(import_id, State.APPLIED, state=State.UNDONE, undone_by=done_by, undone_at=Now())
    rows = product_import.rows.filter(kind__in=CHANGING)
    lock_stock_of(rows)
    cause = Cause(done_by=done_by, note=f"Undone: {product_import}")
    report: list[str] = []
    titles: dict[str, str] = {}
    for some in rows.in_batches():
        undo_rows(some, report, titles, cause=cause)
    restore_titles(titles)  # at the end: until then they tell whether somebody has written others since
    product_import.report = report
    ProductImport.objects.filter(pk=import_id).update(report=report)
    return product_import


def lock_stock_of(rows: ImportRowQuerySet) -> None:
    """All at once, in the order that everybody keeps: the batches that follow are in that of the file."""
    ids = Product.objects.filter(uuid__in=rows.values("product_uuid")).values_list("pk", flat=True)
    list(Stock.objects.locked(ids).values_list("pk"))


def undo_rows(rows: Sequence[ImportRow], report: list[str], titles: dict[str, str], *, cause: Cause) -> None:
    uuids = [row.product_uuid for row in rows if row.product_uuid]
    found = Product.objects.filter(uuid__in=uuids).select_related("stock", "group")
    products: dict[UUID | None, Product] = {product.uuid: product for product in found}
    report += [f"Line {row.line}: {row.label} is gone." for row in rows if row.product_uuid not in products]
    there = [(row, products[row.product_uuid]) for row in rows if row.product_uuid in products]
    take_stock_back(there, report, cause=cause)
    restore_fields([(row, product) for row, product in there if row.kind == Kind.UPDATED], report, titles, cause=cause)
    remove([product for row, product in there if row.kind == Kind.CREATED], cause=cause)


Pairs = Sequence[tuple[ImportRow, Product]]


def units_of(row: ImportRow) -> int:
    """What the row added to the shelf."""
    if row.kind == Kind.COUNTED:
        return int(row.values["on_hand"] - row.before["on_hand"])
    brought = row.kind == Kind.CREATED or "stock" in row.before
    return int(row.values.get("stock", 0)) if brought else 0


def take_stock_back(pairs: Pairs, report: list[str], *, cause: Cause) -> None:
    moves = {}
    for row, product in pairs:
        brought = units_of(row)
        taken = min(brought, product.stock.available)
        if taken < brought:
            report.append(
                f"Line {row.line}: of {brought:,} units of {product}, {brought - taken:,} are sold or gone since; "
                f"{taken:,} were taken back."
            )
        if taken:
            moves[product.pk] = Change(kind=StockMovement.Kind.ADJUSTED, available=-taken)
    write(moves, cause=cause)


def restore_fields(pairs: Pairs, report: list[str], titles: dict[str, str], *, cause: Cause) -> None:
    """The titles of groups are only collected."""
    restored: dict[Seen, dict[str, Any]] = {}
    for row, product in pairs:
        before = {name: value for name, value in row.before.items() if name != "stock"}
        now = fields_of(product)
        kept = [name for name in before if not are_alike(now[name], row.values[name])]
        if kept:
            names = ", ".join(NAMES.get(name, name) for name in kept)
            report.append(f"Line {row.line}: {product} was changed since, kept: {names}.")
        fields = {name: value for name, value in before.items() if name not in kept}
        if "title" in fields and before["title"] is not None:
            titles[str(now["handle"])] = before["title"]
        restored[product.pk, product.version] = fields
    groups = dict(ProductGroup.objects.filter(handle__in=handles_in(restored)).values_list("handle", "pk"))
    columns = {seen: columns_of(fields, groups) for seen, fields in restored.items()}
    write_columns({seen: changed for seen, changed in columns.items() if changed}, cause=cause)


def handles_in(restored: dict[Seen, dict[str, Any]]) -> set[str]:
    return {fields["handle"] for fields in restored.values() if fields.get("handle")}


def restore_titles(titles: dict[str, str]) -> None:
    groups = list(ProductGroup.objects.filter(handle__in=titles).order_by("handle"))
    for group in groups:
        group.title = titles[group.handle]
    ProductGroup.objects.bulk_update(groups, ["title"], batch_size=BATCH)


def remove(products: Sequence[Product], *, cause: Cause) -> None:
    """Delete those that nothing ever happened to, and archive the others."""
    ids = [product.pk for product in products]
    moved = set(StockMovement.objects.filter(product_id__in=ids).values_list("product_id", flat=True).distinct())
    delete_rows([product for product in products if product.pk not in moved], cause=cause)
    on_sale = [product for product in products if product.pk in moved and product.is_active]
    write_columns({(product.pk, product.version): {"is_active": False} for product in on_sale}, cause=cause)
