"""Which kind of file a table is, known by its header, and what each of its rows says of a product."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from catalog.importing import cells
from catalog.importing.errors import WrongCell, WrongFile
from catalog.importing.reading import Line, Table, shortened
from catalog.models import ProductImport

Format = ProductImport.Format
Parser = Callable[[str], Any]
Parsers = dict[str, Parser]
OPTIONS = range(1, 4)
EXPORTED, COUNTED = "on hand (exported)", "on hand (new)"

# The column of a file -> what it says
Names = dict[str, str]
PRODUCTS: Names = {
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
SHOPIFY: Names = {
    "variant sku": "sku",
    "body (html)": "description",
    "variant price": "price",
    "variant image": "image_url",
    "image src": "picture",
    "published": "published",
    "status": "status",
    "handle": "handle",
    "title": "title",
    "variant inventory qty": "stock",
}
# Shopify's newer exports. Their sku, price and title are ours too: only the name of the handle tells them apart.
RENAMED_HANDLE = "url handle"
RENAMED_SHOPIFY: Names = {
    "sku": "sku",
    "description": "description",
    "price": "price",
    "variant image url": "image_url",
    "product image url": "picture",
    "published on online store": "published",
    "status": "status",
    RENAMED_HANDLE: "handle",
    "title": "title",
    "inventory quantity": "stock",
}
INVENTORY: Names = {"sku": "sku", EXPORTED: "exported", COUNTED: "on_hand"}
PARSERS: Parsers = {
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
OF_GROUPS = ("title", "description", "picture", "published", "status")


@dataclass(slots=True)
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
    if RENAMED_HANDLE in names or ("handle" in names and any(name.startswith("variant ") for name in names)):
        return Format.SHOPIFY
    if not names & {"sku", "handle"}:
        seen = shortened(", ".join(name for name in columns if name))
        raise WrongFile(f"No column tells which product a row means: sku, or Handle. The header says: {seen}.")
    if not names & (PRODUCTS.keys() | OF_OPTIONS) - {"sku", "handle"}:
        raise WrongFile("No column says anything of a product, such as price or name.")
    return Format.PRODUCTS


def names_of(columns: Iterable[str], kind: ProductImport.Format) -> Names:
    if kind == Format.SHOPIFY:
        return RENAMED_SHOPIFY if RENAMED_HANDLE in columns else SHOPIFY
    return {Format.PRODUCTS: PRODUCTS, Format.INVENTORY: INVENTORY}[kind]


def not_read(columns: list[str], kind: ProductImport.Format) -> list[str]:
    read = names_of(columns, kind).keys() | (OF_OPTIONS if kind != Format.INVENTORY else set())
    return [name for name in columns if name and name not in read]


def rows_of(table: Table, kind: ProductImport.Format) -> Iterator[FileRow]:
    """Raises WrongFile where the whole file is to blame."""
    names = names_of(table.columns, kind)
    refuse_synonyms(table.columns, names)
    parsers = dict(PARSERS)
    column = columns_by_name(names).get("price", "")
    mark = cells.decimal_mark((line.number, line.cells[column]) for line in table.lines() if column in line.cells)
    if mark:
        table.read_as["Decimal mark"] = cells.MARKS[mark]
    parsers["price"] = partial(cells.price, mark=mark)
    read = {Format.SHOPIFY: shopify_rows, Format.PRODUCTS: product_rows, Format.INVENTORY: inventory_rows}[kind]
    return read(table.lines(), names, parsers)


def refuse_synonyms(columns: Iterable[str], names: Names) -> None:
    said: dict[str, str] = {}
    for column in columns:
        if (field_name := names.get(column)) and said.setdefault(field_name, column) != column:
            raise WrongFile(f"Two columns say the same: {said[field_name]} and {column}.")


def columns_by_name(names: Names) -> Names:
    return {name: column for column, name in names.items()}


def row_of(line: Line, names: Names, parsers: Parsers) -> FileRow:
    row = FileRow(line.number)
    for column, name in names.items():
        if name in parsers:
            row.take(name, line.cells.get(column, ""), parsers[name], column=column)
    return row


def inventory_rows(lines: Iterable[Line], names: Names, parsers: Parsers) -> Iterator[FileRow]:
    for line in lines:
        yield row_of(line, names, parsers)


def product_rows(lines: Iterable[Line], names: Names, parsers: Parsers) -> Iterator[FileRow]:
    for line in lines:
        row = row_of(line, names, parsers)
        if "handle" not in row.values and (title := row.values.pop("title", "")):
            row.values.setdefault("name", title)
        take_options(row, line, line, parsers)
        yield row


def take_options(row: FileRow, line: Line, named: Line, parsers: Parsers) -> None:
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


def shopify_rows(lines: Iterable[Line], names: Names, parsers: Parsers) -> Iterator[FileRow]:
    """The first row of a handle tells of all its variants. Rows with nothing but a further picture are passed over."""
    parsers = parsers | {"stock": cells.shelf_of_shopify}
    columns = columns_by_name(names)
    of_variants = {"option1 value", columns["sku"], columns["price"]}
    shared = {columns[name] for name in OF_GROUPS} | {f"option{n} name" for n in OPTIONS}
    first: dict[str, Line] = {}
    for line in lines:
        head = first.setdefault(line.cells.get(columns["handle"], ""), line)
        if line is head or line.cells.keys() & of_variants:
            whole = Line(line.number, {name: head.cells[name] for name in shared & head.cells.keys()} | line.cells)
            yield shopify_row(whole, head, names, parsers)


def shopify_row(line: Line, head: Line, names: Names, parsers: Parsers) -> FileRow:
    """`line` with what the first of its handle, the `head`, says for all."""
    columns = columns_by_name(names)
    row = row_of(line, names, parsers)
    take_options(row, line, head, parsers)
    if cells.is_below_zero(line.cells.get(columns["stock"], "")):
        row.remarks.append("stock below zero is taken for none")
    if "image_url" not in row.values:
        take_shared(row, "image_url", head, parsers, column=columns["picture"])
    for name in ("published", "status"):
        if row.values.get("is_active") is not False:
            take_shared(row, "is_active", head, parsers, column=columns[name])
    if title := row.values.get("title"):
        name_variant(row, title)
    return row


def take_shared(row: FileRow, name: str, head: Line, parsers: Parsers, *, column: str) -> None:
    row.take(name, head.cells.get(column, ""), parsers[name], column=column)


def name_variant(row: FileRow, title: str) -> None:
    """As orders name it: `Shirt - S / Blue`."""
    options = " / ".join(value for _, value in row.values.get("options", []))
    row.take("name", f"{title} - {options}" if options else title, PARSERS["name"], column="title")
