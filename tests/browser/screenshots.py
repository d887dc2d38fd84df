"""The pictures of the README: `make screenshots` takes them of a shop that it fills."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Page

from orders.models import Order, OrderItem
from tests.environment import ROOT

FOLDER = Path(ROOT, "docs", "screenshots")


@pytest.fixture
def take(go: Callable[[str], None], page: Page) -> Callable[..., None]:
    page.set_viewport_size({"width": 1280, "height": 800})

    def picture(name: str, path: str, *, from_heading: str | None = None) -> None:
        go(path)
        page.wait_for_load_state("networkidle")
        if from_heading:
            page.get_by_role("heading", name=from_heading).evaluate("heading => heading.scrollIntoView()")
        page.wait_for_timeout(1_000)  # until the charts stand still
        page.screenshot(path=FOLDER / f"{name}.png")

    return picture


def test_every_picture(transactional_db, take):
    call_command("fill_demo", products=300, orders=6_000, days=62)
    call_command("work", once=True)
    bestseller = OrderItem.objects.order_by("-quantity").first()
    shipped = Order.objects.filter(shipped_at__isnull=False).latest("pk")

    take("dashboard", "/admin/?days=30")
    take("orders", "/admin/orders/order/")
    take("order", f"/admin/orders/order/{shipped.pk}/change/")
    take("ledger", f"/admin/catalog/product/{bestseller.product_id}/stock/", from_heading="Ledger")
