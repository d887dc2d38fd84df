"""Who may call what. Whatever is not written here is closed: a new route fails this test until it is."""

import re
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client as Browser
from django.urls import URLResolver, get_resolver

from tests.test_clients import bearer

READ, WRITE = "catalog:read", "catalog:write"
CALLS = {
    ("GET", "product/all_products"): (READ, "catalog.view_product"),
    ("POST", "product/create_product"): (WRITE, "catalog.add_product"),
    ("POST", "order/create_order"): ("orders:write", "orders.add_order"),
    ("GET", "api/v1/products"): (READ, "catalog.view_product"),
    ("POST", "api/v1/products"): (WRITE, "catalog.add_product"),
    ("GET", "api/v1/products/<id:uuid>"): (READ, "catalog.view_product"),
    ("PATCH", "api/v1/products/<id:uuid>"): (WRITE, "catalog.change_product"),
    ("DELETE", "api/v1/products/<id:uuid>"): (WRITE, "catalog.delete_product"),
    ("GET", "api/v1/products/<id:uuid>/movements"): (READ, "catalog.view_stockmovement"),
    ("POST", "api/v1/stock"): (WRITE, "catalog.change_stock"),
    ("GET", "api/v1/orders"): ("orders:read", "orders.view_order"),
    ("POST", "api/v1/orders"): ("orders:write", "orders.add_order"),
    ("GET", "api/v1/orders/<id:uuid>"): ("orders:read", "orders.view_order"),
    ("GET", "api/v1/orders/<id:uuid>/events"): ("orders:read", "orders.view_orderevent"),
    ("POST", "api/v1/orders/<id:uuid>/complete"): ("orders:write", "orders.change_order"),
    ("POST", "api/v1/orders/<id:uuid>/cancel"): ("orders:write", "orders.change_order"),
    ("POST", "api/v1/orders/<id:uuid>/ship"): ("orders:write", "orders.change_order"),
    ("POST", "api/v1/orders/<id:uuid>/extend"): ("orders:write", "orders.change_order"),
    ("POST", "api/v1/orders/<id:uuid>/notes"): ("orders:write", "orders.change_order"),
    ("GET", "api/v1/requests/<path:key>"): ("orders:write", "orders.view_order"),
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
NOBODY, REFUSED, NO_METHOD = {401}, {403}, {405}


@pytest.fixture(autouse=True)
def _closed_and_unhurried(settings):
    settings.API_OPEN, settings.ADDRESS_RATE_LIMIT, settings.RATE_LIMIT = "none", 0, 0


def routes(resolver: URLResolver | None = None, under: str = "") -> set[str]:
    """Those of the API, without their final slash."""
    found = set()
    for route in (resolver or get_resolver()).url_patterns:
        if isinstance(route, URLResolver):
            found |= routes(route, f"{under}{route.pattern}")
        elif hasattr(route.callback, "actions"):
            found.add(f"{under}{route.pattern}".removesuffix("/"))
    return found


def answer(client, method: str, route: str, **headers: str) -> int:
    path = re.sub("<path:key>", "k-1", re.sub("<id:uuid>", str(uuid4()), route))
    return client.generic(method, f"/{path}", "{}", content_type="application/json", headers=headers).status_code


def test_every_route_of_the_api_is_written_here():
    assert routes() == {route for _, route in CALLS}


@pytest.mark.parametrize("method", METHODS)
def test_a_stranger_may_do_nothing(api, method):
    for route in sorted(routes()):
        assert answer(api, method, route) in NOBODY | NO_METHOD, (method, route)


@pytest.mark.parametrize("scope", ["catalog:read", "catalog:write", "orders:read", "orders:read_all", "orders:write"])
def test_a_client_may_do_what_its_scope_says_and_nothing_else(api, scope):
    headers = bearer(api, scope)

    for route in sorted(routes()):
        for method in METHODS:
            needed = CALLS.get(("GET" if method == "HEAD" else method, route))
            given = answer(api, method, route, **headers)
            assert (given not in NOBODY | REFUSED | NO_METHOD) == (needed is not None and needed[0] == scope), (
                method,
                route,
                given,
            )


@pytest.mark.parametrize("permission", [None, *sorted({permission for _, permission in CALLS.values()})])
def test_staff_may_do_what_their_permissions_say_and_nothing_else(transactional_db, permission):
    user = User.objects.create_user("sam", password="x", is_staff=True)
    if permission:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    browser = Browser(raise_request_exception=False)
    browser.force_login(user)

    for (method, route), (_, needed) in CALLS.items():
        allowed = answer(browser, method, route) not in NOBODY | REFUSED | NO_METHOD
        assert allowed == (needed == permission), (method, route)
