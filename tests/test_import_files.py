"""What is read from a file, however it was saved, and why some files are no table of products."""

import io
import zipfile

import pytest

from catalog.importing import limits, workbooks
from catalog.importing.cells import decimal_mark, price
from catalog.importing.errors import WrongCell, WrongFile
from catalog.importing.formats import format_of, not_read, rows_of
from catalog.importing.reading import read_table
from tests.imports import RENAMED_SHOPIFY, SHOPIFY, workbook

TEXT = "sku,name,price\r\nÄ1,Größe,19.99\r\n"
READ = [(2, {"sku": "Ä1", "name": "Größe", "price": "19.99"})]


def read(data: bytes | str):
    table = read_table(data.encode() if isinstance(data, str) else data)
    return table.read_as, rows_of(table, format_of(table.columns))


def values(data: bytes | str):
    return [(row.line, row.values) for row in read(data)[1]]


@pytest.mark.parametrize(
    ("codec", "named"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8, with a byte order mark"),
        ("utf-16", "UTF-16, with a byte order mark"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_tells_encodings_apart(codec, named):
    read_as, rows = read(TEXT.encode(codec))

    assert read_as == {"Encoding": named, "Delimiter": "comma", "Decimal mark": "point"}
    assert [(row.line, row.values) for row in rows] == READ


@pytest.mark.parametrize(("delimiter", "named"), [(";", "semicolon"), ("\t", "tab")])
def test_tells_delimiters_and_decimal_commas(delimiter, named):
    text = TEXT.replace(",", delimiter).replace("19.99", "19,99")

    read_as, rows = read(text)

    assert (read_as["Delimiter"], read_as["Decimal mark"]) == (named, "comma")
    assert [(row.line, row.values) for row in rows] == READ


def test_the_line_that_excel_writes_for_itself_is_passed_over():
    assert values("sep=;\r\nsku;price\r\nA;1,50\r\n") == [(3, {"sku": "A", "price": "1.50"})]


def test_names_the_line_in_the_file_where_a_row_begins():
    text = 'sku,description,price\n\nA,"two\nlines",1\n\nB,,2\n'

    assert values(text) == [
        (3, {"sku": "A", "description": "two\nlines", "price": "1.00"}),
        (6, {"sku": "B", "price": "2.00"}),
    ]


def test_reads_a_workbook():
    data = workbook(["SKU", "Name", "Price", "On sale", "Low_stock_at"], ["A", "Lamp", 19.99, True, 5], [7, "Ink", 20])

    assert values(data) == [
        (2, {"sku": "A", "name": "Lamp", "price": "19.99", "is_active": True, "low_stock_at": 5}),
        (3, {"sku": "7", "name": "Ink", "price": "20.00"}),
    ]


def test_reads_variants_of_shopify_as_they_are():
    shirt = {"handle": "shirt", "title": "Shirt", "description": '<p>Soft, "really"</p>', "is_active": True}

    assert values(SHOPIFY) == [
        (
            2,
            shirt
            | {
                "name": "Shirt - S / Blue",
                "options": [["Size", "S"], ["Colour", "Blue"]],
                "price": "20.00",
                "stock": 3,
                "image_url": "https://example.com/shirt.jpg",
            },
        ),
        (
            3,
            shirt
            | {
                "name": "Shirt - M / Blue",
                "options": [["Size", "M"], ["Colour", "Blue"]],
                "price": "21.50",
                "stock": 0,
                "image_url": "https://example.com/m.jpg",
            },
        ),
        (
            5,
            {
                "handle": "mug",
                "title": "Mug",
                "name": "Mug",
                "options": [],
                "price": "9.99",
                "stock": 7,
                "is_active": False,
            },
        ),
    ]


def test_reads_the_newer_names_of_shopifys_columns():
    kettle = {"handle": "kettle", "title": "Kettle", "description": "<p>Whistles</p>", "is_active": True}

    assert values(RENAMED_SHOPIFY) == [
        (
            2,
            kettle
            | {
                "sku": "KET-1",
                "name": "Kettle - 1.5",
                "options": [["Litres", "1.5"]],
                "price": "35.00",
                "stock": 0,
                "image_url": "https://example.com/k.jpg",
            },
        ),
        (
            3,
            kettle
            | {
                "sku": "KET-2",
                "name": "Kettle - 2",
                "options": [["Litres", "2"]],
                "price": "39.50",
                "stock": 4,
                "image_url": "https://example.com/two.jpg",
            },
        ),
        (
            5,
            {
                "handle": "towel",
                "title": "Tea towel",
                "name": "Tea towel",
                "options": [],
                "price": "8.00",
                "stock": 12,
                "is_active": False,
            },
        ),
    ]


@pytest.mark.parametrize(
    ("header", "kind", "ignored"),
    [
        ("Handle,Title,Variant Price,SKU,Price", "shopify", ["sku", "price"]),
        ("URL handle,Title,SKU,Price,Variant Price,Handle", "shopify", ["variant price", "handle"]),
        ("Handle,Title,SKU,Price,Description,Option1 value,Status", "products", ["status"]),
        ("SKU,Title,Price,Inventory quantity", "products", ["inventory quantity"]),
    ],
)
def test_the_header_tells_the_names_of_shopify_from_our_own(header, kind, ignored):
    columns = read_table(f"{header}\nx\n".encode()).columns

    assert format_of(columns) == kind
    assert not_read(columns, format_of(columns)) == ignored


def test_blames_a_cell_of_shopify_by_the_name_that_it_has_in_the_file():
    [row] = read("URL handle,Title,Price,Inventory quantity,Product image URL\nmug,Mug,cheap,many,mug.jpg\n")[1]

    assert row.errors == [
        "price: write a number such as 19.99",
        "inventory quantity: write a whole number from 0 to 1,000,000,000",
        "product image url: it is no address that begins with https:// or http://",
    ]


ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "The file is empty."),
        (b"\n\n  \n", "The file is empty."),
        (b"sku,price\n", "The file has a header and no rows."),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "This is neither a CSV file nor an .xlsx workbook."),
        (b"%PDF-1.7\n\x01\x02", "This is neither a CSV file nor an .xlsx workbook."),
        (ENCRYPTED, "This is a workbook with a password, or an old .xls."),
        (b"PK\x03\x04 broken", "This is no .xlsx workbook that can be read."),
        (b"sku,price,Price\nA,1,2\n", "Two columns have the same name: price."),
        (b"sku,picture_url,image url\nA,,\n", "Two columns say the same: picture url and image url."),
        (b"colour,size\nred,1\n", "No column tells which product a row means"),
        (b"sku,colour\nA,red\n", "No column says anything of a product"),
        (b"sku,on hand (new)\nA,1\n", "An inventory file also needs the column on hand (exported)."),
        (b"sku,price\nA,1,2,3\n", "Line 2: it has 4 cells, the header has 2."),
        (b'sku,price\nA,"1\n', "Line 2: this is not CSV"),
        (b'sku,name\nA,"x"y\n', "Line 2: this is not CSV"),
        (b'sku,price\nA,1.50\nB,"2,50"\n', "Line 2 has a decimal point and line 3 a decimal comma."),
        (b"sku,name\nA,caf\x81\n", "Line 2: what is there is not Windows-1252."),
        (b"sku,name\nA," + b"x" * 200_000, "Line 2: this is not CSV, field larger than field limit"),
    ],
)
def test_says_why_a_file_is_no_table_of_products(data, reason):
    with pytest.raises(WrongFile) as refusal:
        read(data)

    assert str(refusal.value).startswith(reason)


def test_limits_bytes_and_rows(monkeypatch):
    with pytest.raises(WrongFile, match="larger than 10 MB"):
        read(b"sku,price\n" + b"A,1\n" * (limits.MAX_BYTES // 4))
    monkeypatch.setattr("catalog.importing.reading.MAX_ROWS", 2)
    with pytest.raises(WrongFile, match="more than 2 rows"):
        read("sku,price\n" + "A,1\n" * 3)


def zipped(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return file.getvalue()


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    file = io.BytesIO(data)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


BOOK = workbook(["sku", "price"], ["A", 1])
ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    b'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">&b;</workbook>'
)


def replaced(data: bytes, name: str, content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    return zipped(**parts | {name: content})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (with_part(BOOK, "xl/vbaProject.bin", b"x"), "The workbook has macros."),
        (
            with_part(BOOK, "xl/media/bomb", bytes(workbooks.MAX_UNPACKED)),
            "Unpacked, the workbook is larger than 100 MB.",
        ),
        (zipped(readme=b"hello"), "This is a ZIP file but no .xlsx workbook."),
        (replaced(BOOK, "xl/workbook.xml", ENTITIES), "This is no .xlsx workbook that can be read."),
        (replaced(BOOK, "xl/worksheets/sheet1.xml", ENTITIES), "This is no .xlsx workbook that can be read."),
        (replaced(BOOK, "xl/worksheets/sheet1.xml", b"<worksheet"), "This is no .xlsx workbook that can be read."),
        (workbook(["sku", "price"], ["A", "=1+1"]), "Line 2: B2 holds a formula."),
        (workbook(["sku", "price"], ["A", "#DIV/0!"]), "Line 2: B2 holds the error #DIV/0!."),
        (workbook(["sku", "description"], ["A", "x" * 32_767]), "Line 2: B2 is as long as a cell can be"),
    ],
)
def test_says_why_a_workbook_is_not_read(data, reason):
    with pytest.raises(WrongFile) as refusal:
        read(data)

    assert str(refusal.value).startswith(reason)


def test_reads_only_the_cells_that_a_sheet_has_whatever_it_claims():
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/>'
        b'<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>sku</t></is></c><c r="B1" t="inlineStr"><is><t>price</t>'
        b'</is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>A</t></is></c><c r="B2"><v>1</v></c></row>%s'
        b"</sheetData>"
        b"</worksheet>"
    )

    assert values(replaced(BOOK, "xl/worksheets/sheet1.xml", sheet % b"")) == [(2, {"sku": "A", "price": "1.00"})]
    with pytest.raises(WrongFile, match="rows beyond"):
        read(replaced(BOOK, "xl/worksheets/sheet1.xml", sheet % b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>'))


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["19.99", "1,234.50"], "."),
        (["19,99", "1.234,50", "1 234,5"], ","),
        (["1.234.567"], ","),
        (["12", "1.234"], None),
        ([], None),
    ],
)
def test_finds_the_decimal_mark(cells, mark):
    assert decimal_mark(enumerate(cells)) == mark


@pytest.mark.parametrize(
    ("cell", "mark", "value"),
    [
        ("19.99", ".", "19.99"),
        ("1,234.50", ".", "1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("1 234,5", ",", "1234.50"),
        (" 7 ", None, "7.00"),
    ],
)
def test_reads_prices(cell, mark, value):
    assert price(cell, mark=mark) == value


@pytest.mark.parametrize("cell", ["NaN", "inf", "1e3", "-1", "0", "0.001", "1.234", "10000000000", "$5", "١", "1,23,4"])
def test_refuses_what_is_no_price(cell):
    with pytest.raises(WrongCell):
        price(cell, mark=None if cell == "1.234" else ".")


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("price", "NaN", "price: write a number such as 19.99"),
        ("name", "x" * 256, "name: at most 255 characters, it has 256"),
        ("picture url", "javascript:alert(1)", "picture url: it is no address that begins with https:// or http://"),
        ("on sale", "perhaps", "on sale: write true or false"),
        ("low stock at", "-1", "low stock at: write a whole number from 0 to 2,147,483,647"),
        ("stock", "1.5", "stock: write a whole number from 0 to 1,000,000,000"),
    ],
)
def test_blames_a_cell_by_its_column(column, cell, message):
    [row] = read(f"sku,{column}\nA,{cell}\n")[1]

    assert row.errors == [message]


def test_refuses_a_sku_that_looks_like_a_uuid():
    [row] = read("sku,price\n01890000-0000-7000-8000-000000000000,1\n")[1]

    assert row.errors == ["sku: A SKU must not have the form of a UUID."]
