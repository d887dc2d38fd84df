from decimal import Decimal

from playwright.sync_api import Page, expect

from tests.factories import ProductFactory
from tests.imports import fresh


def test_the_second_of_two_tabs_is_stopped_and_overwrites_knowingly(go, shop, page: Page):
    lamp = ProductFactory(name="Lamp", price=Decimal("10"))
    form = f"/admin/catalog/product/{lamp.pk}/change/"
    go(form)
    other = page.context.new_page()
    other.goto(shop.address + form)
    other.fill("[name=price]", "11")
    other.click("[name=_save]")
    expect(other.get_by_text("was changed successfully").first).to_be_visible()

    page.fill("[name=price]", "12")
    page.fill("[name=name]", "Reading lamp")
    page.click("[name=_save]")
    expect(page.get_by_text("Nothing of yours was saved")).to_be_visible()
    rows = page.locator("table").first.locator("tbody tr")
    expect(rows.filter(has_text="Price")).to_have_text("Price10.0011.0012.00")
    expect(rows.filter(has_text="Name")).to_have_text("NameLampLampReading lamp")
    assert (fresh(lamp).name, fresh(lamp).price) == ("Lamp", Decimal("11.00"))

    page.get_by_role("button", name="Overwrite with what I typed").click()
    expect(page.get_by_text("was changed successfully").first).to_be_visible()
    assert (fresh(lamp).name, fresh(lamp).price) == ("Reading lamp", Decimal("12.00"))
