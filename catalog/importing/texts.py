"""Text with delimiters, in the encodings that spreadsheets write."""

import csv
import io
import re
from collections.abc import Iterator

from catalog.importing.errors import WrongFile

MARKS = [(b"\xef\xbb\xbf", "utf-8-sig", "UTF-8"), (b"\xff\xfe", "utf-16", "UTF-16"), (b"\xfe\xff", "utf-16", "UTF-16")]
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n")


def rows_of_text(data: bytes) -> tuple[Iterator[tuple[int, list[str]]], dict[str, str]]:
    text, encoding = decoded(data)
    if NOT_TEXT.search(text):
        raise WrongFile("This is neither a CSV file nor an .xlsx workbook.")
    said = SEPARATOR_LINE.match(text)
    delimiter = said[1] if said and said[1] in DELIMITERS else delimiter_of(text)
    read_as = {"Encoding": encoding, "Delimiter": DELIMITERS[delimiter]}
    return rows_of_csv(text, delimiter=delimiter, skip=1 if said else 0), read_as


def decoded(data: bytes) -> tuple[str, str]:
    for mark, codec, name in MARKS:
        if data.startswith(mark):
            return decode(data, codec, name), f"{name}, with a byte order mark"
    if unmarked := utf_16_without_mark(data):
        return decode(data, unmarked, "UTF-16"), "UTF-16"
    try:
        return data.decode(), "UTF-8"
    except UnicodeDecodeError:
        return decode(data, "cp1252", "Windows-1252"), "Windows-1252"


def utf_16_without_mark(data: bytes) -> str | None:
    """A header is mostly ASCII, so every other byte of it is zero."""
    start = data[:200]
    if len(start) % 2 == 0 and start.count(0) * 3 > len(start):
        return "utf-16-be" if start[0] == 0 else "utf-16-le"
    return None


def decode(data: bytes, codec: str, name: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise WrongFile(f"Line {line}: what is there is not {name}. Save the file as CSV UTF-8.") from None


def delimiter_of(text: str) -> str:
    """What separates the names in the header, outside of quotes."""
    header = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").splitlines()[0])
    return max(DELIMITERS, key=header.count)


def rows_of_csv(text: str, *, delimiter: str, skip: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    ended = 0
    try:
        for row in reader:
            number, ended = ended + 1, reader.line_num
            if number > skip:
                yield number, row
    except csv.Error as error:
        raise WrongFile(f"Line {ended + 1}: this is not CSV, {error}.") from None
