"""Which page of the back office is whose. A page that is not written here fails a test until it is."""

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client as Browser
from django.urls import URLResolver, reverse

from catalog.models import StockMovement
from ecommerce.models import Client
from ecommerce.staff.roles import ROLES
from orders.models import BooksCheck
from tests.factories import ADDRESS, ProductFactory, placed
from tests.imports import previewed
from tests.test_clients import new_client
from tests.test_roles import browser_of, somebody

NOBODY, STAFF = "nobody", "staff"
IMPORT = "catalog.add_product"  # and catalog.change_product
OF_NO_ROW = ("_changelist", "_add", "_holds", "_products", "_deleted", "_now")
ACTIONS = {"changelist": "view", "add": "add", "change": "view", "delete": "delete", "history": "view"}


def pages(model: str, **own: tuple[str, str]) -> dict[str, tuple[str, str]]:
    """The permission that a GET needs and the one that a POST needs, of Django's pages and of its own."""
    app, name = model.rsplit("_", 1)
    standard = {action: (f"{app}.{verb}_{name}",) * 2 for action, verb in ACTIONS.items()}
    standard["change"] = (f"{app}.view_{name}", f"{app}.change_{name}")
    return {f"{model}_{action}": needed for action, needed in {**standard, **own}.items()}


def only_seen(model: str, **own: tuple[str, str]) -> dict[str, tuple[str, str]]:
    app, name = model.rsplit("_", 1)
    never = {"add": (NOBODY,) * 2, "delete": (NOBODY,) * 2, "change": (f"{app}.view_{name}", NOBODY)}
    return pages(model, **{**never, **own})


def hidden(model: str) -> dict[str, tuple[str, str]]:
    return pages(model, **dict.fromkeys(ACTIONS, (NOBODY, NOBODY)))


PAGES = {
    **dict.fromkeys(["index", "password_change", "password_change_done", "search", "jsi18n"], (STAFF, STAFF)),
    **pages(
        "auth_user",
        password_change=("auth.change_user", "auth.change_user"),
        reset_second_factor=("auth.change_user", "auth.change_user"),
    ),
    **pages("auth_group"),
    **only_seen("axes_accessattempt"),
    **pages("ecommerce_client", rotate=("ecommerce.change_client", "ecommerce.change_client")),
    **pages(
        "catalog_product",
        stock=("catalog.view_product", "catalog.change_stock"),
        deleted=("catalog.view_product", "catalog.view_product"),
        restore=("catalog.change_product", "catalog.change_product"),
    ),
    **only_seen("catalog_stockmovement"),
    **pages("catalog_productimport", **dict.fromkeys(ACTIONS, (IMPORT, IMPORT)) | {"delete": (NOBODY, NOBODY)}),
    **only_seen(
        "orders_order",
        add=("orders.add_order", "orders.add_order"),
        products=("orders.add_order", "orders.add_order"),
        holds=("orders.view_order", "orders.view_order"),
        slip=("orders.view_order", "orders.view_order"),
        **{move: ("orders.change_order",) * 2 for move in ("complete", "ship", "extend", "cancel", "note")},
    ),
    **only_seen("orders_bookscheck", now=(STAFF, "orders.add_bookscheck")),
    **hidden("oauth2_provider_accesstoken"),
    **hidden("oauth2_provider_grant"),
    **hidden("oauth2_provider_idtoken"),
    **hidden("oauth2_provider_refreshtoken"),
}
# Open to whoever logs in, or looked at by tests of their own; a download has two names in its address.
ELSEWHERE = {"login", "code", "logout", "second_factor", "app_list", "view_on_site", "autocomplete"}


@pytest.fixture
def rows(transactional_db) -> dict[str, int]:
    """One of each, which the addresses of the pages need."""
    lamp = ProductFactory(stock=5)
    new_client("catalog:read")
    return {
        "auth_user": User.objects.create_user("row", is_staff=True).pk,
        "auth_group": Group.objects.create(name="row").pk,
        "axes_accessattempt": AccessAttempt.objects.create(username="x", failures_since_start=1).pk,
        "ecommerce_client": Client.objects.get().pk,
        "catalog_product": ProductFactory(stock=0).pk,
        "catalog_stockmovement": StockMovement.objects.earliest("pk").pk,
        "catalog_productimport": previewed("sku,price\nROW,1\n").pk,
        "orders_order": placed({lamp: 1}, ship_to=ADDRESS).pk,
        "orders_bookscheck": BooksCheck.objects.create(asked_by="command:test").pk,
    }


def names(patterns) -> set[str]:
    found = set()
    for pattern in patterns:
        found |= names(pattern.url_patterns) if isinstance(pattern, URLResolver) else {pattern.name}
    return found - {None}


def address(page: str, rows: dict[str, int]) -> str:
    model = "_".join(page.split("_")[:2])
    if page.endswith(OF_NO_ROW) or "_" not in page or page.startswith("password"):
        return reverse(f"admin:{page}")
    return reverse(f"admin:{page}", args=[rows.get(model, 1), *([1] if page.endswith("_restore") else [])])


def is_let_in(answer) -> bool:
    """Not sent away to the login, nor a history to the index for want of such a row."""
    where, page = answer.get("Location", ""), answer.request["PATH_INFO"]
    is_sent_away = where.startswith("/admin/login/") or (where == "/admin/" and page.endswith("/history/"))
    return answer.status_code != 403 and not is_sent_away


def may(user: User, needed: str) -> bool:
    return needed == STAFF or (needed != NOBODY and user.has_perm(needed))


def test_every_page_is_written_here():
    written = set(PAGES) | ELSEWHERE

    assert {name for name in names(admin.site.get_urls()) if not name.endswith("_download")} == written


@pytest.mark.parametrize("role", [*ROLES, None])
def test_a_role_opens_and_changes_what_is_its_own(role, rows):
    user = somebody("sam", *([role] if role else []))
    browser = browser_of(user)

    wrong = [
        (page, method)
        for page, needed in PAGES.items()
        for method, permission in zip(("get", "post"), needed, strict=True)
        if is_let_in(getattr(browser, method)(address(page, rows))) != may(user, permission)
    ]

    assert wrong == []


def test_a_stranger_opens_nothing(rows):
    stranger = Browser()

    assert [page for page in PAGES if is_let_in(stranger.get(address(page, rows)))] == []
    assert [page for page in PAGES if is_let_in(stranger.post(address(page, rows)))] == []
