"""What one cell says, in the form in which it is stored with the import and compared: text, whole numbers, booleans."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from catalog.importing.errors import WrongCell, WrongFile
from catalog.models import MAX_STOCK, Product
from ecommerce.exporting import unharmed

YES = {"true", "yes", "1", "on", "active", "unlisted"}  # unlisted: sold to whoever has the link
NO = {"false", "no", "0", "off", "draft", "archived"}
GROUPING = re.compile(r"(?<=\d)[\s'](?=\d{3})")
MARKS = {".": "point", ",": "comma"}


def text(cell: str, *, longest: int) -> str:
    value = unharmed(cell).strip().replace("\r\n", "\n")
    if "\x00" in value:
        raise WrongCell("it holds a character that is no text")
    if len(value) > longest:
        raise WrongCell(f"at most {longest} characters, it has {len(value):,}")
    return value


def checked(field: str, value: Any) -> Any:
    """By the model's own rules, so that a file may say what a form may."""
    try:
        return Product._meta.get_field(field).clean(value, None)  # type: ignore[union-attr]
    except ValidationError as error:
        raise WrongCell(" ".join(error.messages)) from None


def sku(cell: str) -> str:
    return str(checked("sku", text(cell, longest=64)))


def picture(cell: str) -> str:
    value = text(cell, longest=2000)
    try:
        URLValidator(schemes=["http", "https"])(value)
    except ValidationError:
        raise WrongCell("it is no address that begins with https:// or http://") from None
    return value


def flag(cell: str) -> bool:
    word = cell.strip().lower()
    if word not in YES | NO:
        raise WrongCell("write true or false")
    return word in YES


def whole_number(cell: str, *, highest: int = MAX_STOCK) -> int:
    digits = GROUPING.sub("", cell.strip())
    if not re.fullmatch(r"[0-9]{1,15}([.,]0)?", digits) or int(re.split("[.,]", digits)[0]) > highest:
        raise WrongCell(f"write a whole number from 0 to {highest:,}")
    return int(re.split("[.,]", digits)[0])


def shelf_of_shopify(cell: str) -> int:
    """Shopify counts below zero what it sold without having it. Here nothing lies on such a shelf."""
    return 0 if is_below_zero(cell) else whole_number(cell)


def is_below_zero(cell: str) -> bool:
    return re.fullmatch(r"-[0-9]{1,15}", cell.strip()) is not None


def price(cell: str, *, mark: str | None) -> str:
    number = GROUPING.sub("", unharmed(cell).strip())
    if mark is None and re.search("[.,]", number):
        raise WrongCell("its separator may mean thousands or decimals; write two decimals")
    mark = mark or "."
    other = re.escape("," if mark == "." else ".")
    if not re.fullmatch(rf"-?([0-9]{{1,3}}({other}[0-9]{{3}})+|[0-9]{{1,15}})({re.escape(mark)}[0-9]{{1,9}})?", number):
        raise WrongCell(f"write a number such as 19{mark}99")
    return f"{checked('price', Decimal(re.sub(other, '', number).replace(mark, '.'))):.2f}"


def decimal_mark(cells: Iterable[tuple[int, str]]) -> str | None:
    """Whether these prices, each with its line, have a decimal point or comma; None where nothing tells.

    Raises WrongFile where some have one and some the other.
    """
    seen: dict[str, int] = {}
    for line, cell in cells:
        if mark := mark_of(GROUPING.sub("", cell.strip())):
            seen.setdefault(mark, line)
    if len(seen) == 2:
        raise WrongFile(f"Line {seen['.']} has a decimal point and line {seen[',']} a decimal comma. Write all alike.")
    return next(iter(seen), None)


def mark_of(number: str) -> str | None:
    """Three digits after the only separator may be thousands; anything else tells."""
    separators = re.findall("[.,]", number)
    if not separators:
        return None
    last = separators[-1]
    if len(set(separators)) == 2:
        return str(last)
    if len(separators) > 1:
        return "," if last == "." else "."
    return None if len(number.rpartition(last)[2]) == 3 else str(last)
