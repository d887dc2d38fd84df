"""What is not acceptable is refused before anything happens, as application/problem+json, and is never echoed."""

import json
import time

import psycopg
import pytest
from django.db import InternalError, OperationalError, connection, transaction

from catalog.models import Product
from catalog.services import stock
from ecommerce import prepared
from ecommerce.api.problems import PROBLEMS
from tests.factories import ProductFactory, available
from tests.races import in_thread
from tests.test_classic_api import LAMP, NEW_ORDER, NEW_PRODUCT, PRODUCTS, order, post

MALFORMED = [
    b"{",
    b'{"name": "Lamp", "name": "Ink"}',
    b'{"price": NaN}',
    b'{"price": Infinity}',
    b'{"price": 1e99999999999999999999}',
    b'{"stock": ' + b"9" * 5000 + b"}",
    b'{"name": "\xff"}',
    '{"name": "Lamp"}'.encode("utf-16"),
    b"\xef\xbb\xbf{}",
    b"[" * 100_000 + b"]" * 100_000,
    b"[" * 1_000 + b"]" * 1_000,
    b"[" * 21 + b"]" * 21,
]


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_refuses_what_is_not_acceptable_json(api, body):
    answer = post(api, NEW_PRODUCT, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    assert not Product.objects.exists()


def test_an_empty_body_lacks_every_field(api):
    answer = post(api, NEW_PRODUCT, b"")

    assert (answer.status_code, len(answer.json()["errors"])) == (422, 4)


def test_reads_twenty_levels(api):
    assert post(api, NEW_PRODUCT, b"[" * 20 + b"]" * 20).status_code == 422


def test_refuses_a_large_body_before_reading_it_all(api, settings):
    answer = post(api, NEW_PRODUCT, json.dumps(LAMP | {"description": "x" * settings.BODY_LIMIT}))

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_a_large_form_is_too_large_for_django_itself_too(api, settings):
    answer = api.post(
        "/o/token/", "grant_type=" + "x" * settings.BODY_LIMIT, content_type="application/x-www-form-urlencoded"
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_takes_a_body_just_within_the_limit(api, settings):
    frame = len(json.dumps(LAMP | {"description": ""}))

    body = json.dumps(LAMP | {"description": "x" * (settings.BODY_LIMIT - frame)})

    assert len(body) == settings.BODY_LIMIT
    assert post(api, NEW_PRODUCT, body).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/json; charset=latin-1", "application/json; charset=bogus"],
)
def test_reads_only_json_in_utf_8(api, content_type):
    answer = api.generic("POST", NEW_PRODUCT, json.dumps(LAMP), content_type=content_type)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_serves_only_json(api):
    answer = api.get(PRODUCTS, headers={"Accept": "application/xml"})

    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


def test_says_which_method_an_address_takes(api):
    answer = api.get(NEW_ORDER)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer["Allow"] == api.options(NEW_ORDER)["Allow"] == "POST, OPTIONS"
    assert "Allow" not in api.post(NEW_ORDER, {}, content_type="application/json")


@pytest.mark.parametrize("address", ["/api/v1/orders", "/api/v1/products"])
def test_says_what_an_address_of_v1_takes_to_whoever_asks(api, address):
    assert api.options(address)["Allow"] == api.put(address)["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert "Allow" not in api.get(address)


def test_another_method_is_refused_before_its_parameters(api):
    answer = api.put("/api/v1/orders/?dry_run=true", {}, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/nope", "/product/", "/order/create_order/7", "/api/v1/<script>", "/a%00b"])
def test_an_unknown_address_is_json_too(api, path):
    answer = api.get(path)

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert (answer.json()["code"], "script" in answer.content.decode()) == ("not_found", False)


def test_a_strange_host_is_refused_as_json(api):
    answer = api.get(PRODUCTS, headers={"Host": "evil.example"})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "evil" not in answer.content.decode()


def test_the_back_office_keeps_its_own_pages(staff):
    assert staff.get("/admin/nope/")["Content-Type"].startswith("text/html")


def test_a_problem_is_complete_and_carries_the_id_of_the_request(api):
    answer = api.get("/nope", headers={"X-Request-ID": "mine-1"})

    assert answer.json() == {
        "type": "/problems/not_found",
        "title": "There is nothing here",
        "status": 404,
        "code": "not_found",
        "detail": "Nothing is found at this address, or it is not yours.",
        "request_id": "mine-1",
    }


@pytest.mark.parametrize("code", PROBLEMS)
def test_the_type_of_a_problem_explains_it_to_people_and_programs(client, code):
    page = client.get(f"/problems/{code}", headers={"Accept": "text/html"})

    assert (page.status_code, PROBLEMS[code].title in page.content.decode()) == (200, True)
    assert client.get(f"/problems/{code}").json()["title"] == PROBLEMS[code].title


@pytest.mark.parametrize("accept", ["text/html", "application/json", "image/png"])
@pytest.mark.parametrize("method", ["options", "post", "put", "delete", "patch"])
@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/openapi.json", "/health", "/problems/invalid"])
def test_a_page_asked_in_an_odd_way_refuses_in_json(client, path, method, accept):
    answer = getattr(client, method)(path, headers={"Accept": accept})

    assert answer.status_code in (200, 405, 406)
    assert answer.status_code == 200 or answer.json()["status"] == answer.status_code


def test_an_unknown_problem_has_no_page(client):
    assert client.get("/problems/nope").status_code == 404


def test_a_fault_of_ours_is_told_without_a_word_of_the_inside(api, monkeypatch):
    lamp = ProductFactory()

    def break_down(sql, values, *, commit=False, fetch=prepared.fetch):
        rows = fetch(sql, values)
        if commit:
            raise ZeroDivisionError("secret of the house")
        return rows

    monkeypatch.setattr(prepared, "fetch", break_down)
    answer = order(api, (lamp, 1))

    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert "secret" not in answer.content.decode()
    assert available(lamp) == 10


def test_a_lock_that_is_held_too_long_is_busy_and_changes_nothing(api):
    lamp = ProductFactory()

    with transaction.atomic():
        stock.lock([lamp.pk])
        started = time.monotonic()
        thread, answers = in_thread(lambda: order(api, (lamp, 1)))
        thread.join()

    assert 1.9 < time.monotonic() - started < 4
    assert (answers[0].status_code, answers[0].json()["code"], answers[0]["Retry-After"]) == (503, "busy", "1")
    assert available(lamp) == 10


AWAY = [
    (OperationalError, psycopg.OperationalError("gone")),
    (InternalError, psycopg.errors.ReadOnlySqlTransaction("a standby")),
    (InternalError, psycopg.errors.IdleInTransactionSessionTimeout("our session is over")),
    (InternalError, psycopg.errors.TransactionTimeout("and so is our transaction")),
]


@pytest.mark.parametrize(("error", "cause"), AWAY)
def test_a_database_that_is_away_is_unavailable(api, error, cause):
    def fail(*_):
        raise error from cause

    with connection.execute_wrapper(fail):
        answer = api.get(PRODUCTS)

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "unavailable", "1")
