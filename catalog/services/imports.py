"""A file of products on its way into the shop: kept as a preview, then applied as it was shown, or not at all."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from catalog.errors import ImportHasErrors, ImportNotOpen, ImportOutdated, SkuTaken, VariantTaken
from catalog.models import ImportRow, Product, ProductGroup, ProductImport, Stock, StockMovement, make_uuid
from catalog.services.fields import differing, fields_of, variant_of, write_columns
from catalog.services.importing import BATCH, Move, Stamp, import_moves, import_products, stamp
from catalog.services.products import names_are_free
from catalog.services.stock import Cause
from ecommerce.database import take_time

Kind = ImportRow.Kind
State = ProductImport.State
CHANGING = (Kind.CREATED, Kind.UPDATED, Kind.COUNTED)
FIELDS_OF_GROUPS = {"handle", "title"}
KEPT_FOR = timedelta(days=1)

Products = dict[UUID | None, Product]


@transaction.atomic(savepoint=False)
def save_preview(product_import: ProductImport, rows: Iterable[ImportRow]) -> ProductImport:
    """Keep what a file would do. Previews that nobody applied within a day go, after the rows, which may be of one."""
    take_time()
    product_import.save(force_insert=True)
    counts: Counter[str] = Counter()
    left = iter(rows)
    while some := list(islice(left, BATCH)):
        for row in some:
            row.product_import = product_import
        counts.update(row.kind for row in some)
        ImportRow.objects.bulk_create(some)
    product_import.counts = {kind.value: counts[kind] for kind in Kind}
    product_import.save(update_fields=["counts"])
    ProductImport.objects.filter(state=State.PREVIEWED, created_at__lt=Now() - KEPT_FOR).delete()
    return product_import


@transaction.atomic(savepoint=False)
def discard_preview(import_id: int) -> None:
    take_time()
    ProductImport.objects.filter(pk=import_id, state=State.PREVIEWED).delete()


@transaction.atomic(savepoint=False)
def apply_import(import_id: int, *, done_by: str, good_rows_only: bool = False) -> ProductImport:
    """Do what the preview shows. Raises ImportNotOpen, ImportHasErrors, ImportOutdated; then nothing has changed.

    The first statement is the gate: of two clicks the second waits for the first, and finds the import applied.
    """
    take_time()
    product_import = opened(import_id, State.PREVIEWED, state=State.APPLIED, applied_by=done_by, applied_at=Now())
    if product_import.counts[Kind.REFUSED] and not good_rows_only:
        raise ImportHasErrors
    rows = list(product_import.rows.filter(kind__in=CHANGING).order_by("line"))
    products = locked_products(rows)
    refuse_outdated(rows, products)
    try:
        write_rows(rows, products, done_by=done_by, note=str(product_import))
    except (SkuTaken, VariantTaken):
        raise ImportOutdated([]) from None
    return product_import


def opened(import_id: int, wanted: State, **changes: object) -> ProductImport:
    """Take the import from one state to another, once. Its row is locked from here on."""
    moved = ProductImport.objects.filter(pk=import_id, state=wanted).update(**changes)
    product_import = ProductImport.objects.filter(pk=import_id).first()
    if not moved or product_import is None:
        raise ImportNotOpen(product_import.state if product_import else "discarded")
    return product_import


def locked_products(rows: Sequence[ImportRow]) -> Products:
    """The products of these rows by uuid, as they are under the locks on their stock."""
    uuids = [row.product_uuid for row in rows if row.product_uuid]
    ids = dict(Product.objects.filter(uuid__in=uuids).values_list("pk", "uuid"))
    stocks = {stock.pk: stock for stock in Stock.objects.locked(ids)}
    products: Products = {p.uuid: p for p in Product.objects.filter(pk__in=stocks).select_related("group")}
    for product in products.values():
        product.stock = stocks[product.pk]
    return products


def refuse_outdated(rows: Sequence[ImportRow], products: Products) -> None:
    created = [row for row in rows if row.kind == Kind.CREATED]
    there = {row.line for row in created if row.product_uuid in products} | there_by_now(created)
    changed = {
        row.line for row in rows if row.kind != Kind.CREATED and is_outdated(row, products.get(row.product_uuid))
    }
    if outdated := sorted(there | changed):
        raise ImportOutdated(outdated)


def there_by_now(created: Sequence[ImportRow]) -> set[int]:
    """Lines whose product somebody else has made in the meantime."""
    skus = [row.values["sku"] for row in created if "sku" in row.values]
    handles = {row.values["handle"] for row in created if "handle" in row.values}
    taken = set(Product.objects.filter(sku__in=skus).values_list("sku", flat=True))
    variants = Product.objects.filter(group__handle__in=handles).select_related("group")
    taken_variants = {variant_of(fields_of(product)) for product in variants}
    return {row.line for row in created if row.values.get("sku") in taken or variant_of(row.values) in taken_variants}


def is_outdated(row: ImportRow, product: Product | None) -> bool:
    if product is None:
        return True
    if row.kind == Kind.COUNTED:
        stock = product.stock
        return bool(stock.on_hand != row.before["on_hand"] or row.values["on_hand"] < stock.committed)
    fields = {name: value for name, value in row.before.items() if name != "stock"}
    stocked = "stock" in row.before and product.stock.on_hand != 0
    return stocked or differing(fields_of(product), row.values) != fields


def write_rows(rows: Sequence[ImportRow], products: Products, *, done_by: str, note: str) -> None:
    groups = written_groups(rows)
    updated = [row for row in rows if row.kind == Kind.UPDATED]
    write_columns(
        {
            products[row.product_uuid].pk: columns
            for row in updated
            if (columns := columns_of({name: row.values[name] for name in row.before}, groups))
        },
        cause=Cause(done_by=done_by, note=note),
    )
    import_moves([move_of(row, products[row.product_uuid], note=note) for row in rows if moves(row)], done_by=done_by)
    # In one order for everybody: two imports that bring the same skus wait for each other, and do not deadlock.
    created = sorted((row for row in rows if row.kind == Kind.CREATED), key=lambda row: row.values.get("sku", ""))
    now = stamp()
    products_made = [new_product(row, groups, now=now) for row in created]
    opening = [row.values.get("stock", 0) for row in created]
    with names_are_free():
        import_products(products_made, opening=opening, done_by=done_by, note=note)


def moves(row: ImportRow) -> bool:
    return row.kind == Kind.COUNTED or (row.kind == Kind.UPDATED and "stock" in row.before)


def move_of(row: ImportRow, product: Product, *, note: str) -> Move:
    if row.kind == Kind.COUNTED:
        change = row.values["on_hand"] - row.before["on_hand"]
        return Move(product_id=product.pk, kind=StockMovement.Kind.COUNTED, change=change, note=note)
    return Move(product_id=product.pk, kind=StockMovement.Kind.RECEIVED, change=row.values["stock"], note=note)


def written_groups(rows: Sequence[ImportRow]) -> dict[str, int]:
    """The ids of the groups that these rows name, by handle; new ones are added and titles written."""
    titles = {row.values["handle"]: row.values.get("title", "") for row in rows if "handle" in row.values}
    new = [ProductGroup(handle=handle, title=titles[handle]) for handle in sorted(titles)]
    ProductGroup.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)
    groups = {group.handle: group for group in ProductGroup.objects.filter(handle__in=titles).order_by("handle")}
    retitled = sorted({row.values["handle"] for row in rows if "title" in row.before and "handle" in row.values})
    for handle in retitled:
        groups[handle].title = titles[handle]
    ProductGroup.objects.bulk_update([groups[handle] for handle in retitled], ["title"], batch_size=BATCH)
    return {handle: group.pk for handle, group in groups.items()}


def columns_of(fields: dict[str, object], groups: dict[str, int]) -> dict[str, object]:
    columns = {name: value for name, value in fields.items() if name not in FIELDS_OF_GROUPS | {"stock"}}
    if "handle" in fields:
        handle = fields["handle"]
        columns["group"] = None if handle is None else groups[str(handle)]
    return columns


def new_product(row: ImportRow, groups: dict[str, int], *, now: Stamp) -> Product:
    fields = {name: value for name, value in row.values.items() if name not in FIELDS_OF_GROUPS | {"stock"}}
    group_id = groups[row.values["handle"]] if "handle" in row.values else None
    times = {"created_at": now.created_at, "updated_at": now.created_at}
    return Product(uuid=row.product_uuid or make_uuid(), group_id=group_id, **fields, **times)
