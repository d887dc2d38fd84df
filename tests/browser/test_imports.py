from decimal import Decimal

from playwright.sync_api import Page, expect

from tests.factories import ProductFactory
from tests.imports import fresh


def upload(page: Page, text: str) -> None:
    page.set_input_files("[name=file]", {"name": "prices.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_role("button", name="Show what it would change").click()


def test_a_file_is_mended_imported_and_taken_back(go, page: Page):
    lamp = ProductFactory(sku="LAMP", price=Decimal("10"))
    ink = ProductFactory(sku="INK", price=Decimal("5"))

    go("/admin/catalog/productimport/add/")
    upload(page, "sku,price\nLAMP,12.50\nINK,cheap\n")
    expect(page.get_by_text("1 rows have errors, so the file is not imported as a whole.")).to_be_visible()
    expect(page.locator("tbody tr").filter(has_text="INK")).to_contain_text("3")
    page.get_by_role("link", name="Upload a mended file").click()
    upload(page, "sku,price\nLAMP,12.50\nINK,6\n")
    expect(page.get_by_text("Nothing has changed yet.")).to_be_visible()
    assert (fresh(lamp).price, fresh(ink).price) == (Decimal("10.00"), Decimal("5.00"))

    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_text("Imported.")).to_be_visible()
    assert (fresh(lamp).price, fresh(ink).price) == (Decimal("12.50"), Decimal("6.00"))

    page.get_by_role("button", name="Take the whole import back").click()
    expect(page.get_by_text("The import is taken back.")).to_be_visible()
    assert (fresh(lamp).price, fresh(ink).price) == (Decimal("10.00"), Decimal("5.00"))
