"""The ledger of a product is for every client that reads the catalogue; whose orders moved it is not."""

import pytest

from catalog.services import adjust_stock, receive_stock
from orders.services import cancel_order
from tests.factories import ADDRESS, TEST, ProductFactory, placed
from tests.test_clients import bearer
from tests.v1 import STOCK, product_url, with_key


@pytest.fixture(autouse=True)
def _closed(settings):
    settings.API_OPEN = "none"


@pytest.fixture
def mine(api):
    return bearer(api, "catalog:read", "catalog:write", "orders:read", "orders:write", name="mine")


def client_of(headers, api) -> str:
    sku = ProductFactory(stock=1).sku
    received = with_key(api, STOCK, {"lines": [{"product": sku, "kind": "received", "quantity": 1}]}, **headers)
    return received.json()["movements"][0]["done_by"]


@pytest.fixture
def lamp(api, mine):
    """Ten came, a client sold two and another three, of which staff took one back."""
    lamp = ProductFactory(stock=10)
    lamp.own = placed({lamp: 2}, placed_by=client_of(mine, api), ship_to=ADDRESS)
    lamp.others = placed({lamp: 3}, placed_by="app:else", ship_to=ADDRESS)
    cancel_order(lamp.others.pk, quantities={lamp.pk: 1}, reason="Bob is ill", done_by="staff:1")
    cancel_order(lamp.own.pk, quantities={lamp.pk: 1}, reason="too many", done_by="staff:1")
    return lamp


def told(rows) -> list[tuple]:
    return [(row["kind"], row["quantity"], row["order"], row["done_by"], row["note"]) for row in rows]


def test_a_client_is_told_of_its_own_orders_and_only_the_units_of_others(api, mine, lamp):
    own = str(lamp.own.uuid)

    answer = api.get(f"{product_url(lamp)}movements/?ordering=id", headers=mine)

    assert told(answer.json()["results"]) == [
        ("opening", 10, None, None, ""),
        ("ordered", -2, own, lamp.own.placed_by, ""),
        ("ordered", -3, None, None, ""),
        ("cancelled", 1, None, None, ""),
        ("cancelled", 1, own, "staff:1", "too many"),
    ]
    for secret in (str(lamp.others.uuid), "app:else", "Bob"):
        assert secret not in answer.content.decode()


def test_who_may_see_all_orders_is_told_all(api, lamp):
    auditor = bearer(api, "catalog:read", "orders:read", "orders:read_all", name="auditor")

    rows = api.get(f"{product_url(lamp)}movements/?ordering=id", headers=auditor).json()["results"]

    assert told(rows)[2:4] == [
        ("ordered", -3, str(lamp.others.uuid), "app:else", ""),
        ("cancelled", 1, str(lamp.others.uuid), "staff:1", "Bob is ill"),
    ]


def test_a_refused_count_tells_no_more(api, mine, lamp):
    count = {"product": lamp.sku, "kind": "counted", "quantity": 1}

    few = with_key(api, STOCK, {"lines": [count]}, **mine).json()
    moved = with_key(api, STOCK, {"lines": [count | {"expected": 9}]}, **mine).json()

    assert few["holders"] == [{"order": str(lamp.own.uuid), "quantity": 1}, {"order": None, "quantity": 2}]
    assert moved["code"] == "stock_moved"
    assert str(lamp.others.uuid) not in str(moved) + str(few)


def test_a_delivery_is_told_without_who_brought_it(api, mine):
    ink = ProductFactory(stock=0)
    receive_stock(ink.pk, 5, cause=TEST)
    adjust_stock(ink.pk, -1, cause=type(TEST)(done_by="staff:1", note="broken"))

    rows = api.get(f"{product_url(ink)}movements/?ordering=id", headers=mine).json()["results"]

    assert told(rows) == [("received", 5, None, None, ""), ("adjusted", -1, None, None, "broken")]
