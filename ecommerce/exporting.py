"""Files that people take away: streamed in batches, and harmless to the spreadsheet that opens them."""

import csv
import re
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import FileResponse, StreamingHttpResponse

BATCH = 2_000
# A spreadsheet takes such text for a formula, which may send the rest of the sheet elsewhere. The quotes count, so
# that what is written is read back as it was.
DANGEROUS = re.compile(r"'*[=+\-@\t\r]")
NOT_IN_A_WORKBOOK = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
BYTE_ORDER_MARK = "\ufeff"  # without it Excel does not take the file for UTF-8

Row = TypeVar("Row", bound=Model)


def harmless(value: Any) -> Any:
    """Text that begins like a formula gets a quote before it. Numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and DANGEROUS.match(value) else value


def unharmed(text: str) -> str:
    """What `harmless` was given."""
    return text[1:] if text.startswith("'") and DANGEROUS.match(text) else text


def in_batches(rows: QuerySet[Row], *, newest_first: bool = False) -> Iterator[list[Row]]:
    """All of them in the order of their ids, by statements of their own: nothing stays open between two batches, so a
    pooler may stand in between, and memory holds one batch."""
    rows = rows.order_by("-pk" if newest_first else "pk")
    batch = list(rows[:BATCH])
    while batch:
        yield batch
        last = batch[-1].pk
        batch = list(rows.filter(**{"pk__lt" if newest_first else "pk__gt": last})[:BATCH])


class Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield BYTE_ORDER_MARK + writer.writerow(header)
    pieces: list[Any] = []
    for row in rows:
        pieces.append(writer.writerow([harmless(cell) for cell in row]))
        if len(pieces) == BATCH:
            yield "".join(pieces)
            pieces = []
    yield "".join(pieces)


def csv_response(name: str, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        csv_lines(header, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


def xlsx_response(name: str, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> FileResponse:
    """Row by row into a file on disk, so that memory holds one of them."""
    from openpyxl import Workbook  # 14 MB that only who asks for a workbook has to hold

    book = Workbook(write_only=True)
    sheet = book.create_sheet(name[:31])
    sheet.append(list(header))
    for row in rows:
        sheet.append([in_a_cell(cell) for cell in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", headers={"Cache-Control": "no-store"})


def in_a_cell(value: Any) -> Any:
    """Without the characters that no workbook may hold."""
    return NOT_IN_A_WORKBOOK.sub("", str(harmless(value))) if isinstance(value, str) else value
