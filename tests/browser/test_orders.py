import re
from decimal import Decimal

from playwright.sync_api import Page, expect

from orders.models import Order
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


def test_an_order_is_placed_once_and_found(go, page: Page):
    lamp = ProductFactory(name="Lamp", sku="LAMP", stock=10)

    go("/admin/orders/order/add/")
    page.locator("#lines .select2-selection").first.click()
    page.locator(".select2-search__field").fill("lam")
    page.get_by_role("option", name="Lamp · LAMP · 19.99 · 10 available").click()
    page.fill("[name=form-0-quantity]", "2")
    page.fill("[name=reference]", "PO-77")
    page.get_by_role("button", name="Check the order").click()
    expect(page.get_by_text("2 at 19.99")).to_be_visible()
    assert available(lamp) == 10
    page.get_by_role("button", name="Place this order").dblclick()
    expect(page).to_have_url(re.compile("/orders/order/[0-9]+/change/"))
    order = Order.objects.get()
    assert (available(lamp), order.total_price) == (8, Decimal("39.98"))

    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially("PO-77")
    found = page.locator("#command-results").get_by_role("link", name=f"Order {order.pk}")
    expect(found).to_have_attribute("href", f"/admin/orders/order/{order.pk}/change/")
