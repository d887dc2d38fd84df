"""Every page of the back office opens without a complaint of the browser, and is no wider than its screen."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from playwright.sync_api import Page

from tests.factories import ProductFactory, placed
from tests.test_admin_access import NOBODY, PAGES, address, rows

__all__ = ["rows"]
# A script, an answer to what is typed and a button: nobody opens them as a page.
NO_PAGES = {"jsi18n", "search", "orders_order_products", "orders_bookscheck_now"}
OF_A_HOLD = {"orders_order_complete", "orders_order_extend"}
SHOWN = [name for name, (to_look, _) in PAGES.items() if to_look != NOBODY and name not in NO_PAGES]
SCHEMES = ("light", "dark")


@pytest.fixture
def demo(transactional_db) -> None:
    call_command("fill_demo", products=40, orders=300, days=30)


@pytest.fixture
def addresses(demo, rows) -> list[str]:
    held = placed({ProductFactory(): 1}, hold=timedelta(hours=1))
    return [address(name, rows | {"orders_order": held.pk} if name in OF_A_HOLD else rows) for name in SHOWN]


@pytest.mark.parametrize(("width", "schemes"), [(1440, SCHEMES), (390, SCHEMES[::-1])])
def test_every_page_opens_and_fits_its_screen(go, page: Page, addresses, width, schemes):
    """In one scheme, and turns to the other."""
    page.set_viewport_size({"width": width, "height": 900})
    wrong = []

    for path in addresses:
        page.emulate_media(color_scheme=schemes[0])
        go(path)
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            found = urlsplit(page.url).path, page.evaluate("document.documentElement.scrollWidth")
            if found != (path, width):
                wrong.append((scheme, path, *found))

    assert wrong == []
