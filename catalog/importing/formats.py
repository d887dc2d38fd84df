"""Which kind of file a table is, known by its header, and what each of its rows says of a product."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from catalog.importing import cells
from catalog.importing.errors import WrongCell, WrongFile
from catalog.importing.reading import Line, Table, shortened
from catalog.models import ProductImport

Format = ProductImport.Format
Parser = Callable[[str], Any]
OPTIONS = range(1, 4)
EXPORTED, COUNTED = "on hand (exported)", "on hand (new)"

# The column of a file -> what it says
PRODUCTS = {
    "sku": "sku",
    "name": "name",
    "description": "description",
    "price": "price",
    "picture url": "image_url",
    "image url": "image_url",
    "on sale": "is_active",
    "is active": "is_active",
    "low stock at": "low_stock_at",
    "handle": "handle",
    "title": "title",
    "stock": "stock",
}
SHOPIFY = {
    "variant sku": "sku",
    "body (html)": "description",
    "variant price": "price",
    "variant image": "image_url",
    "handle": "handle",
    "title": "title",
    "variant inventory qty": "stock",
}
INVENTORY = {"sku": "sku", EXPORTED: "exported", COUNTED: "on_hand"}
PARSERS: dict[str, Parser] = {
    "sku": cells.sku,
    "name": partial(cells.text, longest=255),
    "description": partial(cells.text, longest=100_000),
    "image_url": cells.picture,
    "is_active": cells.flag,
    "low_stock_at": partial(cells.whole_number, highest=2**31 - 1),
    "handle": partial(cells.text, longest=255),
    "title": partial(cells.text, longest=255),
    "option": partial(cells.text, longest=255),
    "stock": cells.whole_number,
    "exported": cells.whole_number,
    "on_hand": cells.whole_number,
}
OF_OPTIONS = {f"option{n} {part}" for n in OPTIONS for part in ("name", "value")}
OF_GROUPS = {"title", "body (html)", "image src", "published", "status"} | {f"option{n} name" for n in OPTIONS}
READ = {
    Format.PRODUCTS: set(PRODUCTS) | OF_OPTIONS,
    Format.SHOPIFY: set(SHOPIFY) | OF_OPTIONS | OF_GROUPS,
    Format.INVENTORY: set(INVENTORY),
}


@dataclass
class FileRow:
    line: int
    values: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  # what was taken otherwise than it stands there

    def take(self, name: str, cell: str, parse: Parser, *, column: str) -> None:
        """An empty cell says nothing."""
        if not cell:
            return
        try:
            value = parse(cell)
        except WrongCell as error:
            self.errors.append(f"{column}: {error}")
        else:
            if value != "":
                self.values[name] = value


def format_of(columns: Iterable[str]) -> ProductImport.Format:
    """Raises WrongFile for a header that tells no format."""
    names = set(columns)
    if EXPORTED in names or COUNTED in names:
        if missing := set(INVENTORY) - names:
            raise WrongFile(f"An inventory file also needs the column {sorted(missing)[0]}.")
        return Format.INVENTORY
    if "handle" in names and any(name.startswith("variant ") for name in names):
        return Format.SHOPIFY
    if not names & {"sku", "handle"}:
        seen = shortened(", ".join(name for name in columns if name))
        raise WrongFile(f"No column tells which product a row means: sku, or Handle. The header says: {seen}.")
    if not names & (READ[Format.PRODUCTS] - {"sku", "handle"}):
        raise WrongFile("No column says anything of a product, such as price or name.")
    return Format.PRODUCTS


def not_read(columns: Iterable[str], kind: ProductImport.Format) -> list[str]:
    return [name for name in columns if name and name not in READ[kind]]


def rows_of(table: Table, kind: ProductImport.Format) -> list[FileRow]:
    """Raises WrongFile where the whole file is to blame."""
    refuse_synonyms(table.columns, kind)
    parsers = dict(PARSERS)
    column = "variant price" if kind == Format.SHOPIFY else "price"
    mark = cells.decimal_mark((line.number, line.cells[column]) for line in table.lines if column in line.cells)
    if mark:
        table.read_as["Decimal mark"] = cells.MARKS[mark]
    parsers["price"] = partial(cells.price, mark=mark)
    read = {Format.SHOPIFY: shopify_rows, Format.PRODUCTS: product_rows, Format.INVENTORY: inventory_rows}[kind]
    return read(table.lines, parsers)


def refuse_synonyms(columns: Iterable[str], kind: ProductImport.Format) -> None:
    names = {Format.PRODUCTS: PRODUCTS, Format.SHOPIFY: SHOPIFY, Format.INVENTORY: INVENTORY}[kind]
    said: dict[str, str] = {}
    for column in columns:
        if (field_name := names.get(column)) and said.setdefault(field_name, column) != column:
            raise WrongFile(f"Two columns say the same: {said[field_name]} and {column}.")


def row_of(line: Line, names: dict[str, str], parsers: dict[str, Parser]) -> FileRow:
    row = FileRow(line.number)
    for column, name in names.items():
        row.take(name, line.cells.get(column, ""), parsers[name], column=column)
    return row


def inventory_rows(lines: list[Line], parsers: dict[str, Parser]) -> list[FileRow]:
    return [row_of(line, INVENTORY, parsers) for line in lines]


def product_rows(lines: list[Line], parsers: dict[str, Parser]) -> list[FileRow]:
    rows = []
    for line in lines:
        row = row_of(line, PRODUCTS, parsers)
        if "handle" not in row.values and (title := row.values.pop("title", "")):
            row.values.setdefault("name", title)
        take_options(row, line, line, parsers)
        rows.append(row)
    return rows


def take_options(row: FileRow, line: Line, named: Line, parsers: dict[str, Parser]) -> None:
    """`named` is the row with the names of the options. Shopify calls the option of what has none Title."""
    options = []
    for n in OPTIONS:
        option = FileRow(row.line)
        for part, source in (("name", named), ("value", line)):
            column = f"option{n} {part}"
            option.take(part, source.cells.get(column, ""), parsers["option"], column=column)
        row.errors += option.errors
        if value := option.values.get("value"):
            options.append([option.values.get("name", f"Option{n}"), value])
    if options == [["Title", "Default Title"]]:
        row.values["options"] = []
    elif options:
        row.values["options"] = options


def shopify_rows(lines: list[Line], parsers: dict[str, Parser]) -> list[FileRow]:
    """The first row of a handle tells of all its variants. Rows with nothing but a further picture are passed over."""
    shopify = parsers | {"stock": cells.shelf_of_shopify}
    first: dict[str, Line] = {}
    rows = []
    for line in lines:
        head = first.setdefault(line.cells.get("handle", ""), line)
        if line is head or not is_picture(line):
            rows.append(shopify_row(line, head, shopify))
    return rows


def is_picture(line: Line) -> bool:
    return not line.cells.keys() & {"option1 value", "variant sku", "variant price"}


def shopify_row(line: Line, head: Line, parsers: dict[str, Parser]) -> FileRow:
    shared = {name: head.cells[name] for name in OF_GROUPS & head.cells.keys()}
    row = row_of(Line(line.number, shared | line.cells), SHOPIFY, parsers)
    take_options(row, line, head, parsers)
    if cells.is_below_zero(line.cells.get("variant inventory qty", "")):
        row.remarks.append("stock below zero is taken for none")
    if "image_url" not in row.values:
        row.take("image_url", shared.get("image src", ""), parsers["image_url"], column="image src")
    for column in ("published", "status"):
        if row.values.get("is_active") is not False:
            row.take("is_active", shared.get(column, ""), parsers["is_active"], column=column)
    if title := row.values.get("title"):
        name_variant(row, title)
    return row


def name_variant(row: FileRow, title: str) -> None:
    """As orders name it: `Shirt - S / Blue`."""
    options = " / ".join(value for _, value in row.values.get("options", []))
    row.take("name", f"{title} - {options}" if options else title, PARSERS["name"], column="title")
