"""A file as a table of text, however it was saved; how it was read is told along, since part of that is a guess."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.importing.errors import WrongFile
from catalog.importing.limits import MAX_BYTES, MAX_COLUMNS, MAX_ROWS
from catalog.importing.texts import rows_of_text
from catalog.importing.workbooks import rows_of_workbook

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
Rows = Iterator[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Line:
    """The cells of a row that hold something, by the name of their column; `number` is where it begins in the file."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Table:
    columns: list[str]
    rows: list[tuple[int, list[str]]]
    sha256: str
    read_as: dict[str, str]

    def lines(self) -> Iterator[Line]:
        """Made anew each time: of 100,000 rows, the cells by name take many times the memory of the rows."""
        for number, row in self.rows:
            named = zip(self.columns, row, strict=False)
            yield Line(number, {name: cell for name, cell in named if name and cell.strip()})


def read_table(data: bytes) -> Table:
    """Raises WrongFile."""
    refuse_what_is_no_table(data)
    rows, read_as = rows_of_workbook(data) if data.startswith(ZIP) else rows_of_text(data)
    columns, filled = named(rows)
    return Table(columns=columns, rows=filled, sha256=hashlib.sha256(data).hexdigest(), read_as=read_as)


def refuse_what_is_no_table(data: bytes) -> None:
    if not data.strip():
        raise WrongFile("The file is empty.")
    if len(data) > MAX_BYTES:
        raise WrongFile(f"The file is larger than {MAX_BYTES // 1024**2} MB. Split it.")
    if data.startswith(OLE):
        raise WrongFile("This is a workbook with a password, or an old .xls. Save it as .xlsx without one.")


def named(rows: Rows) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The first row that is not blank names the columns; blank rows are passed over."""
    filled = ((number, row) for number, row in rows if any(cell.strip() for cell in row))
    header = next(filled, None)
    if header is None:
        raise WrongFile("The file is empty.")
    columns = [column_name(cell) for cell in header[1]]
    refuse_double(columns)
    kept: list[tuple[int, list[str]]] = []
    for number, row in filled:
        if len(kept) == MAX_ROWS:
            raise WrongFile(f"The file has more than {MAX_ROWS:,} rows. Split it.")
        refuse_broken(number, row, columns)
        kept.append((number, without_end(row)))
    if not kept:
        raise WrongFile("The file has a header and no rows.")
    return columns, kept


def without_end(row: list[str]) -> list[str]:
    """A row of a workbook goes on to the last column that there may be, all of them empty."""
    while not row[-1].strip():
        row.pop()
    return row


def column_name(cell: str) -> str:
    return " ".join(cell.replace("_", " ").split()).lower()


def refuse_double(columns: list[str]) -> None:
    if len(columns) > MAX_COLUMNS:
        raise WrongFile(f"The file has more than {MAX_COLUMNS} columns.")
    double = sorted({name for name in columns if name and columns.count(name) > 1})
    if double:
        raise WrongFile(f"Two columns have the same name: {shortened(double[0])}.")


def refuse_broken(number: int, row: list[str], columns: list[str]) -> None:
    """Programs leave out empty cells at the end of a row; filled cells beyond the header are a broken row."""
    if any(cell.strip() for cell in row[len(columns) :]):
        raise WrongFile(f"Line {number}: it has {len(row)} cells, the header has {len(columns)}.")


def shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."
