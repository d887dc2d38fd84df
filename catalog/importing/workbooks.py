"""The first sheet of an .xlsx workbook, read row by row."""

import io
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

from catalog.importing.errors import WrongFile
from catalog.importing.limits import MAX_COLUMNS, MAX_ROWS

MAX_UNPACKED = 100 * 1024 * 1024
MAX_PARTS = 1_000
LONGEST_CELL = 32_767
DAMAGED = "This is no .xlsx workbook that can be read. Save it again as .xlsx or CSV."
# openpyxl says so of a damaged workbook; defusedxml's refusals are ValueErrors
DAMAGE = (
    BadZipFile,
    ParseError,
    zlib.error,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def rows_of_workbook(data: bytes) -> tuple[Iterator[tuple[int, list[str]]], dict[str, str]]:
    from openpyxl import load_workbook  # 14 MB that only who reads a workbook has to hold

    try:
        refuse_dangerous(data)
        workbook = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        sheet = workbook.worksheets[0]
        sheet.reset_dimensions()  # whatever it claims, only cells that are there are read
    except DAMAGE:
        raise WrongFile(DAMAGED) from None
    return rows_of(sheet), {"Sheet": sheet.title}


def refuse_dangerous(data: bytes) -> None:
    with ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
    names = {part.filename for part in parts}
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise WrongFile(f"Unpacked, the workbook is larger than {MAX_UNPACKED // 1024**2} MB. Split it.")
    if any(name.endswith("vbaProject.bin") for name in names):
        raise WrongFile("The workbook has macros. Save it as .xlsx without them.")
    if "xl/workbook.xml" not in names:
        raise WrongFile("This is a ZIP file but no .xlsx workbook.")


def rows_of(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    try:
        for number, row in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS), start=1):
            if number > 2 * MAX_ROWS:
                raise WrongFile(f"The sheet has rows beyond {2 * MAX_ROWS:,}. Remove what is far below the table.")
            yield number, [text_of(cell, number) for cell in row]
    except DAMAGE:
        raise WrongFile(DAMAGED) from None


def text_of(cell: Any, number: int) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        raise WrongFile(f"Line {number}: {cell.coordinate} holds a formula. Paste the values over the formulas.")
    if cell.data_type == "e":
        raise WrongFile(f"Line {number}: {cell.coordinate} holds the error {value}.")
    if isinstance(value, str) and len(value) >= LONGEST_CELL:
        raise WrongFile(f"Line {number}: {cell.coordinate} is as long as a cell can be, so its end may be cut off.")
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)
