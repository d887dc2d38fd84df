from collections.abc import Iterator
from itertools import tee

from catalog.importing.formats import FileRow, format_of, not_read, rows_of
from catalog.importing.planning import plan
from catalog.importing.reading import read_table
from catalog.models import ImportRow, ProductImport
from catalog.services import save_preview

NOT_READ = "Columns not read"


def preview(file_name: str, data: bytes, *, done_by: str) -> ProductImport:
    """What the file would do, kept for whoever confirms it. Raises WrongFile."""
    table = read_table(data)
    kind = format_of(table.columns)
    rows = rows_of(table, kind)
    read_as = dict(table.read_as)
    if columns := not_read(table.columns, kind):
        read_as[NOT_READ] = ", ".join(columns)
    product_import = ProductImport(
        file_name=file_name[-255:], sha256=table.sha256, format=kind, read_as=read_as, done_by=done_by
    )
    return save_preview(product_import, plan(rows, kind))


def preview_again(old: ProductImport, *, done_by: str) -> ProductImport:
    """The same file against the shop as it is now; rows that come out otherwise say so."""
    renewed = ProductImport(
        file_name=old.file_name, sha256=old.sha256, format=old.format, read_as=old.read_as, done_by=done_by
    )
    return save_preview(renewed, planned_again(old))


def planned_again(old: ProductImport) -> Iterator[ImportRow]:
    shown, read = tee(row for some in old.rows.in_batches() for row in some)
    rows = (FileRow(row.line, values=row.values, errors=row.errors) for row in read)
    for before, row in zip(shown, plan(rows, ProductImport.Format(old.format)), strict=True):
        if has_changed(before, row):
            row.message = f"Changed since you looked. {row.message}".strip()[:1000]
        yield row


def has_changed(shown: ImportRow, now: ImportRow) -> bool:
    return (shown.kind, shown.before) != (now.kind, now.before)
