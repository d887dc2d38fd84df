from playwright.sync_api import Page, expect

from tests.factories import ProductFactory, available, placed


def test_stock_is_received_and_the_ledger_says_why(go, page: Page):
    lamp = ProductFactory(name="Lamp", stock=10)
    placed({lamp: 3})

    go(f"/admin/catalog/product/{lamp.pk}/stock/")
    page.check("[name=kind][value=received]")
    page.fill("[name=quantity]", "40")
    page.fill("[name=note]", "delivery 7")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("+40 units: 47 are available.")).to_be_visible()
    expect(page.get_by_text("delivery 7").first).to_be_visible()
    assert available(lamp) == 47
