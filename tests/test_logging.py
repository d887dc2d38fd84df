import io
import json
import logging
from types import SimpleNamespace

import pytest
import structlog

from ecommerce.logging import as_json_line
from orders.models import OrderEvent
from tests.factories import ProductFactory
from tests.test_classic_api import LAMP, NEW_PRODUCT, PRODUCTS, order, post


def line(found: list[dict], event: str) -> dict:
    [one] = [fields for fields in found if fields["event"] == event]
    return one


def test_tells_each_request_in_one_line(api, lines):
    api.get(f"{PRODUCTS}?limit=3", headers={"X-Request-ID": "mine-1"})

    told = line(lines(), "request")
    assert {name: told[name] for name in ("method", "route", "status", "request_id", "client")} == {
        "method": "GET",
        "route": "product/all_products",
        "status": 200,
        "request_id": "mine-1",
        "client": "open",
    }
    assert told["duration_ms"] > 0


def test_tells_an_order_and_keeps_the_id_of_its_request(api, lines):
    lamp = ProductFactory()
    lines()

    answer = order(api, (lamp, 2), **{"X-Request-ID": "mine-2"})

    told = line(lines(), "order_placed")
    assert (told["order"], told["total"], told["lines"]) == (answer.json()["id"], "39.98", 1)
    assert told["request_id"] == "mine-2"
    assert OrderEvent.objects.get().request_id == "mine-2"
    assert lamp.movements.last().request_id == "mine-2"


def test_tells_a_refusal_with_its_code(api, lines):
    order(api, (ProductFactory(stock=0), 2))

    assert line(lines(), "order_refused")["code"] == "insufficient_stock"


def test_tells_a_key_that_was_used_for_another_order(api, lines):
    lamp = ProductFactory()
    order(api, (lamp, 1), **{"Idempotency-Key": "k-1"})
    lines()

    order(api, (lamp, 2), **{"Idempotency-Key": "k-1"})

    assert line(lines(), "order_refused")["code"] == "idempotency_mismatch"


def test_tells_stock_that_came_in(api, lines):
    post(api, NEW_PRODUCT, LAMP)

    told = line(lines(), "stock_moved")
    assert (told["kind"], told["change"], told["available"], told["done_by"]) == ("opening", 10, 10, "open")


def test_says_nothing_of_a_health_check(client, lines):
    client.get("/health")

    assert lines() == []


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "a\nb", "ä"])
def test_a_malformed_request_id_is_replaced(api, sent):
    answer = api.get("/", headers={"X-Request-ID": sent})

    assert len(answer["X-Request-ID"]) == 32


def test_a_well_formed_request_id_is_returned(api):
    assert api.get("/", headers={"X-Request-ID": "A-b_c.7"})["X-Request-ID"] == "A-b_c.7"


CANARIES = {
    "body": "canary-body",
    "Authorization": "Bearer canary-token",
    "Cookie": "sessionid=canary-cookie",
    "Idempotency-Key": "canary-key",
    "User-Agent": "canary-agent",
}


@pytest.fixture
def output(monkeypatch) -> io.StringIO:
    """What is really written, by the configured handler and by loggers of ours."""
    written = io.StringIO()
    monkeypatch.setattr("ecommerce.logging.sys", SimpleNamespace(stdout=written))
    [handler] = [handler for handler in logging.getLogger().handlers if handler.name == "stdout"]
    monkeypatch.setattr(handler, "stream", written)
    return written


def test_never_tells_what_was_sent(api, output):
    headers = {name: value for name, value in CANARIES.items() if name != "body"}
    lamp = ProductFactory()

    post(api, NEW_PRODUCT, LAMP | {"name": "canary-body"}, **headers)
    order(api, (lamp, 1), **headers)
    order(api, (lamp, 99), **headers)
    post(api, NEW_PRODUCT, '{"canary-body', **headers)
    api.get("/canary-path?canary-query=1", headers=headers)
    api.get("/", headers=headers | {"Host": "canary.example"})
    api.post("/admin/login/", {"username": "canary-user", "password": "canary-password"}, headers=headers)

    assert output.getvalue().count(" request ") == 7
    assert "canary" not in output.getvalue()


def test_a_traceback_leaves_out_the_row_that_the_database_quotes(api, output, settings):
    settings.SHOP_CURRENCY = "usd"  # breaks a constraint, and PostgreSQL quotes the row
    lamp = ProductFactory(name="canary-name")

    answer = order(api, (lamp, 1), **{"Idempotency-Key": "canary-key"})

    assert answer.status_code == 500
    assert "order_currency_is_a_code" in output.getvalue()
    assert "DETAIL: (left out)" in output.getvalue()
    assert "canary" not in output.getvalue()


def test_no_token_is_told_at_any_level(output):
    for name in ("oauthlib.oauth2", "oauth2_provider"):
        logging.getLogger(name).debug("canary")
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)

    assert "canary" not in output.getvalue()


def test_what_gunicorn_could_not_read_is_not_told(output):
    logging.getLogger("gunicorn.error").warning("Invalid request from ip=%s: %s", "127.0.0.1", "canary")

    assert "Refused a request that is not HTTP" in output.getvalue()
    assert "canary" not in output.getvalue()


def test_a_line_after_the_answer_carries_no_id_of_it(api, output):
    api.get("/", headers={"X-Request-ID": "mine-3"})
    logging.getLogger("gunicorn.error").warning("later")

    assert "mine-3" not in output.getvalue().splitlines()[-1]


def test_a_session_costs_no_query_where_nobody_asks_who_it_is(staff, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert staff.get("/nope").status_code == 404


def test_a_line_with_what_only_python_takes_for_json_is_told_all_the_same():
    told = as_json_line({"event": "odd", "number": 2**70, "text": "\ud800", "thing": object}, default=repr)

    assert json.loads(told) == {"event": "odd", "number": 2**70, "text": "\ud800", "thing": repr(object)}


def test_a_line_that_cannot_be_written_stops_nobody(monkeypatch):
    def write(line):
        raise OSError("No space left on device")

    monkeypatch.setattr("ecommerce.logging.sys", SimpleNamespace(stdout=SimpleNamespace(write=write)))

    structlog.get_logger("test").info("lost")
