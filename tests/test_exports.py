"""What staff take away: harmless to a spreadsheet, whole, filtered as it is looked at, and read back as it was."""

import csv
import io
import tracemalloc
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client
from openpyxl import load_workbook

from catalog.exporting import PRODUCT_COLUMNS, product_rows
from catalog.models import Product
from catalog.services import adjust_stock
from ecommerce.exporting import csv_lines, harmless, unharmed
from tests.factories import ADDRESS, TEST, ProductFactory, placed
from tests.imports import SHOPIFY, imported, previewed

pytestmark = pytest.mark.django_db(transaction=True)

NASTY = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "'=quoted", "''=twice", "'plain", 'say "hi", ok', "two\r\nlines", "ü;€"]


def lines_of(response) -> list[dict[str, str]]:
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("text", NASTY)
def test_what_is_made_harmless_comes_back_as_it_was(text):
    assert unharmed(harmless(text)) == text
    assert harmless(text)[0] not in "=+-@\t\r"


def test_numbers_stay_numbers():
    assert [harmless(value) for value in (-3, Decimal("-1.50"), None)] == [-3, Decimal("-1.50"), None]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_our_own_export_changes_nothing_when_it_comes_back(staff, form):
    for number, text in enumerate(NASTY):
        ProductFactory(name=text.strip(), description=text, sku=f"{text.split()[0][:20]}{number}", low_stock_at=number)
    imported(SHOPIFY)
    Product.objects.filter(name="Mug").update(image_url="https://example.com/mug.jpg?a=1,2")

    response = staff.get(f"/admin/catalog/product/download/products.{form}")

    data = b"".join(response.streaming_content)
    shown = previewed(data)
    assert {kind: count for kind, count in shown.counts.items() if count} == {"unchanged": len(NASTY) + 3}


def test_our_own_export_brings_variants_to_another_shop(staff):
    imported(SHOPIFY)
    data = b"".join(staff.get("/admin/catalog/product/download/products.csv").streaming_content)
    Product.objects.update(sku=Concat(Value("OLD-"), "sku"), group=None, options=[])

    imported(data)

    small = Product.objects.get(name="Shirt - S / Blue", group__handle="shirt")
    assert small.options == [["Size", "S"], ["Colour", "Blue"]]
    assert (small.price, small.stock.available, Product.objects.count()) == (Decimal("20.00"), 3, 6)


def test_the_inventory_comes_with_a_column_to_fill_in(staff):
    lamp = ProductFactory(sku="LAMP", stock=10)
    placed({lamp: 3}, ship_to=ADDRESS)

    [line] = lines_of(staff.get("/admin/catalog/product/download/inventory.csv"))

    assert line == {
        "sku": "LAMP",
        "name": lamp.name,
        "available": "7",
        "committed": "3",
        "on hand (exported)": "10",
        "on hand (new)": "",
    }
    again = staff.get("/admin/catalog/product/download/inventory.xlsx")
    assert previewed(b"".join(again.streaming_content)).counts["unchanged"] == 1


def test_orders_and_their_lines(staff):
    lamp, ink = ProductFactory(price=Decimal("10")), ProductFactory(name="=cmd|' /C calc'!A0", price=Decimal("2.50"))
    order = placed({lamp: 2, ink: 1}, ship_to=ADDRESS, customer={"email": "ada@example.com", "name": "@Ada"})

    [line] = lines_of(staff.get("/admin/orders/order/download/orders.csv"))
    items = lines_of(staff.get("/admin/orders/order/download/order-lines.csv"))

    assert (line["number"], line["id"], line["status"]) == (str(order.pk), str(order.uuid), "completed")
    assert (line["total price"], line["customer name"], line["ship to city"]) == ("22.50", "'@Ada", "London")
    assert [(item["product"], item["quantity"], item["subtotal"]) for item in items] == [
        ("'=cmd|' /C calc'!A0", "1", "2.50"),
        (lamp.name, "2", "20.00"),
    ]


def test_honours_the_filters_of_the_list(staff):
    lamp, ink = ProductFactory(sku="LAMP", stock=10), ProductFactory(sku="INK", stock=10)
    adjust_stock(ink.pk, -4, cause=TEST)
    placed({lamp: 1})
    kept = placed({lamp: 1}, hold=None, customer={"email": "ada@example.com", "name": ""})

    movements = lines_of(staff.get("/admin/catalog/stockmovement/download/movements.csv?kind__exact=adjusted"))
    orders = lines_of(staff.get("/admin/orders/order/download/orders.csv?q=ada@example.com"))

    assert [(line["sku"], line["available change"], line["available after"]) for line in movements] == [
        ("INK", "-4", "6")
    ]
    assert [line["number"] for line in orders] == [str(kept.pk)]


def test_the_list_links_to_its_downloads_as_it_is_filtered(staff):
    ProductFactory()

    page = staff.get("/admin/catalog/stockmovement/?kind__exact=opening&p=1").content.decode()

    assert "/admin/catalog/stockmovement/download/movements.csv?kind__exact=opening" in page


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/catalog/product/download/nothing.csv", 404),
        ("/admin/catalog/product/download/products.pdf", 404),
        ("/admin/catalog/stockmovement/download/movements.csv?kind__exact=opening&id__exact=x", 302),
    ],
)
def test_no_such_file(staff, path, status):
    assert staff.get(path).status_code == status


def test_needs_the_permission_to_look(django_user_model, lines):
    tom = django_user_model.objects.create_user("tom", is_staff=True)
    client = Client()
    client.force_login(tom)

    assert client.get("/admin/catalog/product/download/products.csv").status_code == 403
    tom.user_permissions.add(Permission.objects.get(codename="view_product"))
    assert client.get("/admin/catalog/product/download/products.csv").status_code == 200
    [told] = [line for line in lines() if line["event"] == "exported"]
    assert (told["list"], told["format"], told["done_by"]) == ("products", "csv", f"staff:{tom.pk}")


def peak_of(action) -> int:
    tracemalloc.start()
    action()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_goes_through_all_batches_and_holds_one_of_them(monkeypatch):
    monkeypatch.setattr("ecommerce.exporting.BATCH", 100)
    imported("sku,name,price,description\n" + "".join(f"S{n:04},Thing {n},1,{'x' * 1_000}\n" for n in range(3_000)))
    written = []

    def stream():
        written.append(
            sum(text.count("\r\n") for text in csv_lines(PRODUCT_COLUMNS, product_rows(Product.objects.all())))
        )

    at_once = peak_of(lambda: list(Product.objects.select_related("stock", "group")))
    assert peak_of(stream) * 2 < at_once
    assert written == [3_001]


def test_a_workbook_holds_no_character_that_it_may_not(staff):
    ProductFactory(sku="BELL", name="Bell \x07")

    response = staff.get("/admin/catalog/product/download/products.xlsx")

    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    assert sheet["B2"].value == "Bell "


def test_a_long_list_is_not_made_a_workbook(staff, monkeypatch):
    monkeypatch.setattr("ecommerce.downloads.MAX_XLSX", 2)
    for _ in range(3):
        ProductFactory()

    answer = staff.get("/admin/catalog/product/download/products.xlsx", follow=True)

    assert [str(message) for message in answer.context["messages"]] == ["More than 2 rows: take them as CSV."]
    assert len(lines_of(staff.get("/admin/catalog/product/download/products.csv"))) == 3
