"""Staff import a file in the back office: upload, preview, import, take back."""

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.models import Product, ProductImport
from catalog.services import update_product
from tests.factories import TEST, ProductFactory, available, place
from tests.imports import SHOPIFY, fresh, previewed

pytestmark = pytest.mark.django_db(transaction=True)

UPLOAD = "/admin/catalog/productimport/add/"
PERMISSIONS = ["add_product", "change_product", "view_product"]


def upload(client: Client, text: str | bytes, *, name: str = "products.csv"):
    data = text.encode() if isinstance(text, str) else text
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, data)}, follow=True)


def page_of(product_import: ProductImport) -> str:
    return f"/admin/catalog/productimport/{product_import.pk}/change/"


def move(client: Client, name: str, product_import: ProductImport | None = None):
    return client.post(page_of(product_import or ProductImport.objects.get()), {"move": name}, follow=True)


def text_of(response) -> str:
    return " ".join(re.sub("<[^>]+>", " ", response.content.decode()).split())


def told(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def clerk(django_user_model, *permissions: str) -> Client:
    user = django_user_model.objects.create_user("tom", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def test_shows_what_a_file_would_change_and_changes_nothing(staff):
    lamp = ProductFactory(sku="LAMP", name="Lamp", price=Decimal("10"))

    shown = text_of(upload(staff, "sku;price\nLAMP;12,50\n"))

    assert "Decimal mark comma" in shown
    assert "Lamp LAMP price 10.00 → 12.50" in shown
    assert "Nothing has changed yet" in shown
    assert fresh(lamp).price == Decimal("10.00")


def test_imports_what_was_shown_and_takes_it_back(staff, django_user_model):
    upload(staff, SHOPIFY)

    assert told(move(staff, "apply")) == ["Imported."]
    small = Product.objects.get(name="Shirt - S / Blue")
    assert available(small) == 3
    mia = django_user_model.objects.get()
    assert small.movements.get().done_by == ProductImport.objects.get().applied_by == f"staff:{mia.pk}"
    place({small: 1})

    undone = move(staff, "undo")

    assert told(undone) == ["The import is taken back. 1 things had to stay: see below."]
    assert "of 3 units of Shirt - S / Blue, 1 are sold or gone since; 2 were taken back." in text_of(undone)
    assert not Product.objects.on_sale().exists()


def test_pictures_are_shown_from_their_address_and_never_fetched(staff):
    page = upload(staff, SHOPIFY).content.decode()

    assert '<img src="https://example.com/m.jpg" alt="" loading="lazy" referrerpolicy="no-referrer"' in page


def test_what_a_file_says_is_no_html(staff):
    page = upload(staff, "sku,name,price,description\nA,<b>x</b>,1,<script>alert(1)</script>\n").content.decode()

    assert "<b>x</b>" not in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


ERRORS = "sku,name,price\nA,Lamp,10\nB,Ink,NaN\n"


def test_a_file_with_errors_names_the_lines_and_offers_the_good_rows(staff):
    shown = text_of(upload(staff, ERRORS))

    assert "3 Ink B price: write a number such as 19.99" in shown.replace("Line 3", "3")
    assert "Import the 1 good rows only" in shown
    assert told(move(staff, "apply")) == ["Some rows have errors, so nothing was imported."]
    assert not Product.objects.exists()
    assert told(move(staff, "apply_good_rows")) == ["Imported."]
    assert [product.sku for product in Product.objects.all()] == ["A"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x89PNG\x00", "This is neither a CSV file nor an .xlsx workbook."),
        (b"PK\x03\x04", "This is no .xlsx workbook that can be read."),
        (b"a,b\n1,2\n", "No column tells which product a row means"),
        (b"", "The submitted file is empty."),
        (b"sku,price\n" + b"A,1\n" * 3_000_000, "The file is larger than 10 MB. Split it."),
    ],
)
def test_says_why_a_file_cannot_be_read(staff, data, reason):
    answer = upload(staff, data)

    assert answer.status_code == 200
    assert reason in text_of(answer)
    assert not ProductImport.objects.exists()


def test_without_a_file_it_asks_for_one(staff):
    assert "This field is required." in text_of(staff.post(UPLOAD))


def test_what_changed_since_the_preview_is_shown_again(staff):
    lamp = ProductFactory(sku="LAMP", price=Decimal("10"))
    upload(staff, "sku,price\nLAMP,12\n")
    update_product(lamp.pk, {"price": Decimal("11")}, cause=TEST)

    again = move(staff, "apply")

    assert told(again) == ["Products changed since the preview was made, so nothing was imported. Look at it again."]
    assert "price 11.00 → 12.00 Changed since you looked." in text_of(again)
    assert fresh(lamp).price == Decimal("11.00")
    assert told(move(staff, "apply", ProductImport.objects.latest("pk"))) == ["Imported."]
    assert fresh(lamp).price == Decimal("12.00")


def test_a_second_click_is_told_that_it_is_done(staff):
    upload(staff, "sku,name,price\nA,Lamp,10\n")
    move(staff, "apply")

    assert told(move(staff, "apply")) == ["The import is applied already."]
    assert Product.objects.count() == 1


def test_discards_a_preview(staff):
    upload(staff, "sku,name,price\nA,Lamp,10\n")

    assert told(move(staff, "discard")) == ["The preview is gone. Nothing was changed."]
    assert not ProductImport.objects.exists()


def test_the_same_file_again_says_so(staff):
    upload(staff, SHOPIFY)
    move(staff, "apply")

    shown = text_of(upload(staff, SHOPIFY))

    assert "Nothing to do: the shop is as the file says." in shown
    assert "The same file was imported before" in shown


def test_long_files_come_in_pages(staff):
    upload(staff, "sku,name,price\n" + "".join(f"S{n},Thing {n},1\n" for n in range(150)))
    page = page_of(ProductImport.objects.get())

    assert "Page 1 of 2" in text_of(staff.get(page))
    assert "Thing 149" in text_of(staff.get(f"{page}?kind=created&page=2"))


@pytest.mark.parametrize("number", ["0", "x", "9" * 30, "12345"])
def test_an_import_that_is_not_there(staff, number):
    assert staff.get(f"/admin/catalog/productimport/{number}/change/").status_code in (302, 404)


def test_the_list_of_products_leads_there(staff):
    assert UPLOAD in staff.get("/admin/catalog/product/").content.decode()


@pytest.mark.parametrize("missing", ["add_product", "change_product"])
def test_needs_both_permissions(django_user_model, missing):
    shown = previewed("sku,name,price\nA,Lamp,10\n")
    client = clerk(django_user_model, *(set(PERMISSIONS) - {missing}))

    assert upload(client, "sku,name,price\nA,Lamp,10\n").status_code == 403
    assert client.get(page_of(shown)).status_code == 403
    assert move(client, "apply", shown).status_code == 403
    assert client.get("/admin/catalog/productimport/").status_code == 403
    assert UPLOAD not in client.get("/admin/catalog/product/").content.decode()
    assert not Product.objects.exists()


def test_counts_need_the_permission_to_move_stock(django_user_model):
    lamp = ProductFactory(sku="LAMP", stock=10)
    client = clerk(django_user_model, *PERMISSIONS)

    assert upload(client, "sku,on hand (exported),on hand (new)\nLAMP,10,8\n").status_code == 200
    assert move(client, "apply").status_code == 403
    assert available(lamp) == 10
    django_user_model.objects.get().user_permissions.add(Permission.objects.get(codename="change_stock"))
    assert move(client, "apply").status_code == 200
    assert available(lamp) == 8
