"""Whose requests pass by the middleware for people."""

import pytest
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.test import RequestFactory

from ecommerce.middleware import shortcut_begins, shortcut_ends

COOKIE = "__Host-sessionid=abc"


@pytest.mark.parametrize(
    ("path", "cookie", "is_met"),
    [
        ("/product/all_products", "", False),
        ("/order/create_order", "", False),
        ("/api/v1/orders", "", False),
        ("/api/v1/orders", COOKIE, True),
        ("/admin/login/", "", True),
        ("/o/token", "", True),
        ("/", "", True),
    ],
)
def test_a_program_s_request_without_a_cookie_meets_no_session(path, cookie, is_met):
    request = RequestFactory().get(path, **({"HTTP_COOKIE": cookie} if cookie else {}))
    view = shortcut_ends(lambda request: request.build_absolute_uri())
    handled = shortcut_begins(SessionMiddleware(AuthenticationMiddleware(MessageMiddleware(view))))

    assert handled(request) == f"http://testserver{path}"

    assert {hasattr(request, name) for name in ("session", "user", "_messages")} == {is_met}


@pytest.mark.django_db
@pytest.mark.parametrize(("cookie", "is_met"), [("", False), (COOKIE, True)])
def test_the_shop_s_own_chain_has_the_shortcut(client, cookie, is_met):
    answer = client.get("/product/all_products", **({"HTTP_COOKIE": cookie} if cookie else {}))

    assert (hasattr(answer.wsgi_request, "session"), "X-Frame-Options" in answer.headers) == (is_met, is_met)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "origin" in answer["Vary"]
