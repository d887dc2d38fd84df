"""Staff call the API by their session in the back office."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import get_resolver
from rest_framework.request import Request

from catalog.models import Product, StockMovement
from ecommerce.api.authentication import Caller, sees_all_orders
from orders.models import Order
from tests.factories import ProductFactory, available
from tests.test_classic_api import LAMP, NEW_PRODUCT, PRODUCTS, order, post
from tests.test_clients import bearer


@pytest.fixture(autouse=True)
def _closed(settings):
    settings.API_OPEN = "none"


@pytest.fixture
def session(transactional_db, django_user_model):
    """A browser in which somebody has logged in, with these permissions; it checks CSRF as a server does."""

    def log_in(*permissions: str, **attributes: bool) -> Client:
        user = django_user_model.objects.create_user("mia", password="x", **{"is_staff": True} | attributes)
        for permission in permissions:
            app, _, name = permission.partition(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=name))
        browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
        browser.force_login(user)
        return browser

    return log_in


def csrf(browser: Client) -> dict[str, str]:
    """What Swagger UI sends: the header is written into its page."""
    script = browser.get("/docs").content.decode()
    name, token = re.search(r'request\.headers\["([\w-]+)"\] = "(\w+)"', script).groups()
    assert name == "X-CSRFTOKEN"
    return {name: token}


def refusal(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_staff_read_and_write_by_their_permissions(session):
    mia = session("catalog.view_product", "catalog.add_product", "orders.add_order")

    created = post(mia, NEW_PRODUCT, LAMP, **csrf(mia))
    placed = order(mia, (Product.objects.get(), 2), **csrf(mia))

    assert (created.status_code, placed.status_code) == (200, 201)
    assert [product["stock"] for product in mia.get(PRODUCTS).json()] == [8]
    by_mia = f"staff:{mia.session['_auth_user_id']}"
    assert (Order.objects.get().placed_by, StockMovement.objects.earliest("pk").done_by) == (by_mia, by_mia)


def test_a_superuser_may_do_everything(staff):
    lamp = ProductFactory()

    assert order(staff, (lamp, 1)).status_code == 201
    assert staff.get(PRODUCTS).status_code == 200


@pytest.mark.parametrize("permission", ["catalog.view_product", "catalog.change_product", "orders.view_order"])
def test_another_permission_does_not_do(session, permission):
    mia, lamp = session(permission), ProductFactory()

    assert refusal(order(mia, (lamp, 1), **csrf(mia))) == (403, "permission_denied")
    assert refusal(post(mia, NEW_PRODUCT, LAMP, **csrf(mia))) == (403, "permission_denied")
    assert (mia.get(PRODUCTS).status_code == 200) == (permission == "catalog.view_product")
    assert (available(lamp), Order.objects.count(), Product.objects.count()) == (10, 0, 1)


@pytest.mark.parametrize("header", [{}, {"X-CSRFToken": "x"}, {"X-CSRFToken": "a" * 32}])
def test_without_the_csrf_token_nothing_is_written(session, header):
    mia, lamp = session(is_superuser=True), ProductFactory()
    csrf(mia)

    assert refusal(order(mia, (lamp, 1), **header)) == (403, "csrf_failed")
    assert (available(lamp), Order.objects.count()) == (10, 0)
    assert mia.get(PRODUCTS).status_code == 200


@pytest.mark.parametrize("attributes", [{"is_staff": False}, {"is_active": False}])
def test_who_is_not_active_staff_is_nobody(session, attributes):
    mia = session("catalog.view_product", **attributes)

    assert refusal(mia.get(PRODUCTS)) == (401, "not_authenticated")


@pytest.mark.parametrize("cookie", ["", "x" * 32, '"\\000aaaaaaaaaaaaaaaa"', "ü" * 20, "x" * 4000])
def test_a_session_that_is_none_is_nobody(api, settings, cookie):
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}

    assert refusal(api.get(PRODUCTS, headers=headers)) == (401, "not_authenticated")


def test_a_token_comes_before_the_session(session, api):
    mia, lamp = session(is_superuser=True), ProductFactory()

    assert order(mia, (lamp, 1), **bearer(api, "orders:write")).status_code == 201
    assert Order.objects.get().placed_by.startswith("app:")
    assert refusal(mia.get(PRODUCTS, headers={"Authorization": "Bearer x"})) == (401, "authentication_failed")


def test_a_call_without_the_cookie_is_not_told_to_vary_by_it(session, api):
    mia = session("catalog.view_product")

    assert "Cookie" in mia.get(PRODUCTS)["Vary"]
    assert "Cookie" not in api.get(PRODUCTS)["Vary"]


def test_who_sees_the_orders_of_others(rf, staff, django_user_model):
    def seen_by(user) -> bool:
        request = Request(rf.get("/"))
        request.user = user
        return sees_all_orders(request)

    assert seen_by(Caller("app:x", frozenset({"orders:read", "orders:read_all"})))
    assert seen_by(django_user_model.objects.get())
    assert not seen_by(Caller("app:x", frozenset({"orders:read"})))
    assert not seen_by(None)


@pytest.mark.django_db
def test_every_action_names_a_scope_and_a_permission_that_there_are(settings):
    views = [route.callback for route in get_resolver().url_patterns if hasattr(route, "callback")]
    permissions = {
        f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")
    }
    needed = [view.cls.access[action] for view in views if hasattr(view, "actions") for action in view.actions.values()]

    assert len(needed) >= 6
    for scope, permission in needed:
        assert scope in settings.SCOPES
        assert permission in permissions
