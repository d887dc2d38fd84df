import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from ecommerce import settings as own_settings
from tests.serving import Shop

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread; nothing of ours is async
BROWSERS = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)


def pytest_sessionstart() -> None:
    if CHROMIUM is None:
        raise pytest.UsageError("Chromium is missing: apt-get install chromium, or say where it is: CHROMIUM=/path")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict:
    return {"executable_path": CHROMIUM, "args": ["--no-sandbox", "--disable-dev-shm-usage"]}


@pytest.fixture
def shop(serve, page: Page) -> Shop:
    page.set_default_timeout(30_000)
    return serve(ALLOWED_HOSTS="127.0.0.1", ADDRESS_RATE_LIMIT="0")


@pytest.fixture
def mia(transactional_db, settings) -> User:
    settings.PASSWORD_HASHERS = own_settings.PASSWORD_HASHERS  # the server knows no others
    return User.objects.create_superuser("mia", "mia@example.com", "a long password")


@pytest.fixture
def go(shop: Shop, page: Page, mia: User) -> Callable[[str], None]:
    """Open a page of the back office, as mia, who has logged in."""
    log_in(page, shop)
    page.wait_for_url(f"{shop.address}/admin/")
    return lambda path: page.goto(shop.address + path) and None


def log_in(page: Page, shop: Shop, password: str = "a long password") -> None:
    page.goto(f"{shop.address}/admin/login/")
    page.fill("[name=username]", "mia")
    page.fill("[name=password]", password)
    page.click("[type=submit]")


@pytest.fixture(autouse=True)
def complaints(context: BrowserContext) -> Iterator[list[str]]:
    """Of every tab: scripts that fail, and what the policy of the page does not let in. There are none."""
    heard: list[str] = []

    def hear(tab: Page | None, complaint: object) -> None:
        heard.append(f"{tab and tab.url}: {complaint}")

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "429" not in message.text:
            hear(message.page, message.text)

    context.on("console", listen)
    context.on("weberror", lambda failed: hear(failed.page, failed.error))
    yield heard
    assert heard == []
