"""Whose requests pass by the middleware for people."""

import pytest
from django.test import RequestFactory

from ecommerce.middleware import AuthenticationMiddleware, MessageMiddleware, SessionMiddleware


@pytest.mark.parametrize(
    ("path", "cookie", "is_met"),
    [
        ("/product/all_products", "", False),
        ("/order/create_order", "", False),
        ("/api/v1/orders", "", False),
        ("/api/v1/orders", "__Host-sessionid=abc", True),
        ("/admin/login/", "", True),
        ("/o/token", "", True),
        ("/", "", True),
    ],
)
def test_a_program_s_request_without_a_cookie_meets_no_session(path, cookie, is_met):
    request = RequestFactory().get(path, **({"HTTP_COOKIE": cookie} if cookie else {}))
    handled = SessionMiddleware(
        AuthenticationMiddleware(MessageMiddleware(lambda request: request.build_absolute_uri()))
    )

    assert handled(request) == f"http://testserver{path}"

    assert {hasattr(request, name) for name in ("session", "user", "_messages")} == {is_met}
