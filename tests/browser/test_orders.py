from playwright.sync_api import Page, expect

from tests.factories import ADDRESS, ProductFactory, available, placed, timeline


def test_an_order_is_cancelled(go, page: Page):
    lamp = ProductFactory(stock=10)
    order = placed({lamp: 3}, ship_to=ADDRESS)

    go(f"/admin/orders/order/{order.pk}/change/")
    page.get_by_role("link", name="Cancel").first.click()
    page.fill("[name=reason]", "changed their mind")
    page.locator("form button[type=submit]").last.click()

    expect(page.get_by_text("cancelled").first).to_be_visible()
    assert (available(lamp), timeline(order)[-1]) == (10, ("cancelled", "completed", "cancelled"))
