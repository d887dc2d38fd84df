"""The server as it runs in production: gunicorn, JSON lines, a proxy that ends TLS in front of it."""

import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import global_settings
from django.contrib.auth.models import User
from django.db import connection

from orders.models import Order
from tests.factories import ProductFactory, available
from tests.serving import PUBLIC


@pytest.fixture
def owner(transactional_db, settings) -> User:
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS  # the server knows no others
    return User.objects.create_superuser("mia", "mia@example.com", "a long password")


def test_four_hundred_buyers_over_http_get_the_thirty_seven_units(serve):
    shop, lamp = serve(), ProductFactory(stock=37)

    with ThreadPoolExecutor(32) as buyers:
        answers = list(buyers.map(lambda _: shop.order(lamp.pk), range(400)))

    assert Counter(answer.status for answer in answers) == {201: 37, 400: 363}
    assert {answer.json()["code"] for answer in answers if answer.status == 400} == {"insufficient_stock"}
    assert available(lamp) == 0


def test_twelve_requests_at_once_with_one_key_place_one_order_over_http(serve):
    shop, lamp = serve(), ProductFactory(stock=37)

    with ThreadPoolExecutor(12) as senders:
        answers = list(senders.map(lambda _: shop.order(lamp.pk, **{"Idempotency-Key": "k-1"}), range(12)))

    assert {answer.status for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert available(lamp) == 36


def test_connections_that_the_database_ends_are_replaced_without_a_fault(serve):
    shop, lamp = serve(), ProductFactory(stock=100)
    statuses = Counter()

    for _ in range(5):
        statuses.update(shop.order(lamp.pk, **{"Idempotency-Key": f"k-{n}"}).status for n in range(8))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()"
            )
            assert cursor.rowcount > 0

    assert set(statuses) <= {201, 503}
    assert statuses[201] >= 30
    assert Order.objects.count() == 8


def test_a_body_in_chunks_is_read(serve):
    shop, lamp = serve(), ProductFactory()
    body = json.dumps({"products": [{"product_id": lamp.pk, "quantity": 1}]}).encode()
    headers = {**PUBLIC, "Content-Type": "application/json"}

    def send(chunks):
        return shop.http.request(
            "POST", f"{shop.address}/order/create_order", body=chunks, headers=headers, chunked=True
        )

    assert send(iter([body[:7], body[7:]])).status == 201
    assert send(b" " * 100_000 for _ in range(11)).status == 413
    assert available(lamp) == 9


def test_a_client_cannot_move_the_shop_to_another_path(serve):
    shop = serve(TRUST_PROXY="1")

    assert shop.get("/product/all_products", SCRIPT_NAME="/product").status == 200


def test_everything_it_prints_is_a_json_line(serve, tmp_path):
    shop, lamp = serve(), ProductFactory()

    answer = shop.order(lamp.pk, **{"X-Request-ID": "mine-1"})
    lines = [json.loads(line) for line in (tmp_path / "output").read_text().splitlines()]

    assert answer.headers["X-Request-ID"] == "mine-1"
    told = {line["event"]: line for line in lines if line.get("request_id") == "mine-1"}
    assert set(told) == {"order_placed", "request"}
    assert (told["request"]["status"], told["request"]["client"]) == (201, "open")
    assert any(line["logger"] == "gunicorn.error" for line in lines)


def test_static_files_come_from_the_server_itself(serve):
    shop = serve()

    [script] = re.findall(r'src="(/static/[^"]+swagger-ui-bundle[^"]+)"', shop.get("/docs").data.decode())
    answer = shop.get(script, **{"Accept-Encoding": "br"})

    assert (answer.status, answer.headers["Content-Encoding"]) == (200, "br")
    assert "max-age=315360000" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(("trusted", "is_believed"), [("0", False), ("1", True)])
def test_only_a_proxy_that_is_trusted_says_that_a_request_came_by_tls(serve, trusted, is_believed):
    answer = serve(TRUST_PROXY=trusted).get("/admin/login/")  # with X-Forwarded-Proto: https, as all of these

    assert ("Strict-Transport-Security" in answer.headers) is is_believed


def test_staff_log_in_through_a_proxy_that_ends_tls(serve, owner):
    shop = serve(TRUST_PROXY="1")

    answer = shop.log_in(Origin="https://shop.example.com")

    assert (answer.status, answer.headers["Location"]) == (302, "/admin/")
    cookies = answer.headers.getlist("Set-Cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("__Host-sessionid="))
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(session.split("; "))
    assert shop.get("/admin/", Cookie=session.split(";")[0]).status == 200
    assert shop.get("/admin/login/").headers["Strict-Transport-Security"] == "max-age=31536000"


def test_forwarded_headers_are_not_believed_without_such_a_proxy(serve):
    shop = serve()

    assert shop.log_in(Origin="https://shop.example.com").status == 403
    assert "Strict-Transport-Security" not in shop.get("/admin/login/").headers


def test_a_host_given_by_render_is_one_of_its_own(serve, owner):
    shop = serve(ALLOWED_HOSTS="", RENDER_EXTERNAL_HOSTNAME="shop-1.onrender.com")

    answer = shop.log_in(Host="shop-1.onrender.com", Origin="https://shop-1.onrender.com")

    assert answer.status == 302
