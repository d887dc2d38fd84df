"""A file of products on its way into the shop: kept as a preview, then applied as it was shown, or not at all."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from catalog.errors import ImportHasErrors, ImportNotOpen, ImportOutdated, SkuTaken, VariantTaken
from catalog.models import ImportRow, ImportRowQuerySet, Product, ProductGroup, ProductImport, make_uuid
from catalog.services.fields import write_columns
from catalog.services.importing import BATCH, Stamp, batches, import_products, stamp
from catalog.services.looking import Look
from catalog.services.products import names_are_free
from catalog.services.stock import Cause, write
from ecommerce.database import take_time

Kind = ImportRow.Kind
State = ProductImport.State
CHANGING = (Kind.CREATED, Kind.UPDATED, Kind.COUNTED)
FIELDS_OF_GROUPS = {"handle", "title"}
KEPT_FOR = timedelta(days=1)


@transaction.atomic(savepoint=False)
def save_preview(product_import: ProductImport, rows: Iterable[ImportRow]) -> ProductImport:
    """Keep what a file would do. Previews that nobody applied within a day go, after the rows, which may be of one."""
    take_time()
    product_import.save(force_insert=True)
    counts: Counter[str] = Counter()
    for some in batches(rows):
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
    rows = product_import.rows.filter(kind__in=CHANGING)
    cause = Cause(done_by=done_by, note=str(product_import))
    look = locked_look(rows)
    try:
        groups = written_groups(look.titles, look.retitled)
        write_to_products(look, groups, cause=cause)
        make_products(rows.filter(kind=Kind.CREATED), groups, cause=cause)
    except (SkuTaken, VariantTaken):
        raise ImportOutdated([]) from None
    return product_import


def locked_look(rows: ImportRowQuerySet) -> Look:
    """Raises ImportOutdated, and before anybody has to wait if it can be seen so early."""
    look = Look()
    for some in rows.in_batches():
        look.at(some)
    refuse_outdated(look)
    changed_meanwhile = look.lock()
    for some in rows.filter(line__in=changed_meanwhile).in_batches():
        look.at(some)
    refuse_outdated(look)
    return look


def refuse_outdated(look: Look) -> None:
    if look.outdated:
        raise ImportOutdated(sorted(look.outdated))


def opened(import_id: int, wanted: State, **changes: object) -> ProductImport:
    """Take the import from one state to another, once. Its row is locked from here on."""
    moved = ProductImport.objects.filter(pk=import_id, state=wanted).update(**changes)
    product_import = ProductImport.objects.filter(pk=import_id).first()
    if not moved or product_import is None:
        raise ImportNotOpen(product_import.state if product_import else "discarded")
    return product_import


def write_to_products(look: Look, groups: dict[str, int], *, cause: Cause) -> None:
    for some in batches(look.writes.items()):
        columns = {(pk, planned.version): columns_of(planned.fields, groups) for pk, planned in some if planned.fields}
        write_columns(columns, cause=cause)
        write({pk: change for pk, planned in some if (change := planned.change)}, cause=cause)


def make_products(rows: ImportRowQuerySet, groups: dict[str, int], *, cause: Cause) -> None:
    """In one order for everybody: two imports that bring the same skus wait for each other, and do not deadlock."""
    now = stamp()
    for lines in batches(rows.order_by("values__sku", "line").values_list("line", flat=True)):
        by_line = {row.line: row for row in rows.filter(line__in=lines)}
        some = [by_line[line] for line in lines]
        opening = [row.values.get("stock", 0) for row in some]
        products = [new_product(row, groups, now=now) for row in some]
        with names_are_free():
            import_products(products, opening=opening, done_by=cause.done_by, note=cause.note)


def written_groups(titles: dict[str, str], retitled: Collection[str]) -> dict[str, int]:
    """The ids of these groups, by handle; new ones are added and titles written."""
    new = [ProductGroup(handle=handle, title=titles[handle]) for handle in sorted(titles)]
    ProductGroup.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)
    groups = {group.handle: group for group in ProductGroup.objects.filter(handle__in=titles).order_by("handle")}
    for handle in retitled:
        groups[handle].title = titles[handle]
    changed = [groups[handle] for handle in sorted(retitled)]
    ProductGroup.objects.bulk_update(changed, ["title"], batch_size=BATCH)
    return {handle: group.pk for handle, group in groups.items()}


def columns_of(fields: dict[str, object], groups: dict[str, int]) -> dict[str, object]:
    columns = {name: value for name, value in fields.items() if name not in FIELDS_OF_GROUPS | {"stock"}}
    if "handle" in fields:
        handle = fields["handle"]
        columns["group_id"] = None if handle is None else groups[str(handle)]
    return columns


def new_product(row: ImportRow, groups: dict[str, int], *, now: Stamp) -> Product:
    fields = {name: value for name, value in row.values.items() if name not in FIELDS_OF_GROUPS | {"stock"}}
    group_id = groups[row.values["handle"]] if "handle" in row.values else None
    times = {"created_at": now.created_at, "updated_at": now.created_at}
    return Product(uuid=row.product_uuid or make_uuid(), group_id=group_id, **fields, **times)
