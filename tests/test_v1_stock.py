"""API v1: stock is moved in batches, all or nothing, once per key."""

from uuid import uuid4

import pytest

from catalog.models import StockMovement
from catalog.services import adjust_stock, moving
from tests.factories import ADDRESS, TEST, ProductFactory, available, ledger, place
from tests.races import race
from tests.v1 import STOCK, send, with_key


def line(product, kind, quantity, **more):
    return {"product": product.sku, "kind": kind, "quantity": quantity, **more}


def receive(api, product, *, key):
    return with_key(api, STOCK, {"lines": [line(product, "received", 5)]}, key=key)


def test_moves_all_lines_and_tells_each(api):
    lamp, ink, pen = ProductFactory(stock=10), ProductFactory(stock=5), ProductFactory(stock=7)
    lines = [
        line(lamp, "received", 5, note="delivery 7"),
        line(ink, "adjusted", -2, note="broken"),
        {"product": str(pen.uuid), "kind": "counted", "quantity": 9, "expected": 7},
    ]

    answer = with_key(api, STOCK, {"lines": lines})

    assert answer.status_code == 201
    told = [(row["sku"], row["kind"], row["quantity"], row["balance_after"]) for row in answer.json()["movements"]]
    assert told == [(lamp.sku, "received", 5, 15), (ink.sku, "adjusted", -2, 3), (pen.sku, "counted", 2, 9)]
    assert [available(product) for product in (lamp, ink, pen)] == [15, 3, 9]
    assert list(StockMovement.objects.exclude(kind="opening").order_by("pk").values_list("note", flat=True)) == [
        "delivery 7",
        "broken",
        "",
    ]


def test_one_bad_line_and_nothing_moves(api):
    lamp, ink, pen = ProductFactory(stock=10), ProductFactory(stock=1), ProductFactory(stock=2)
    lines = [
        line(lamp, "received", 5),
        line(ink, "adjusted", -2, note="broken"),
        line(pen, "adjusted", -3, note="lost"),
    ]

    answer = with_key(api, STOCK, {"lines": lines})

    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_stock")
    assert [(row["pointer"], row["wanted"], row["available"]) for row in answer.json()["shortages"]] == [
        ("/lines/1", 2, 1),
        ("/lines/2", 3, 2),
    ]
    assert [available(product) for product in (lamp, ink, pen)] == [10, 1, 2]


def test_a_retry_moves_nothing_more_and_is_told_what_was_done(api):
    lamp = ProductFactory(stock=10)
    body = {"lines": [line(lamp, "received", 5)]}

    first = with_key(api, STOCK, body, key="k-1")
    place({lamp: 1})
    again = with_key(api, STOCK, body, key="k-1")

    assert (first.status_code, again.status_code, again["Idempotent-Replayed"]) == (201, 200, "true")
    assert again.json() == first.json()
    assert available(lamp) == 14


@pytest.mark.parametrize("other", [("received", 6), ("counted", 5)])
def test_another_body_under_the_same_key_is_refused(api, other):
    lamp, ink = ProductFactory(stock=10), ProductFactory(stock=10)
    with_key(api, STOCK, {"lines": [line(lamp, "received", 5)]}, key="k-1")

    answers = [
        with_key(api, STOCK, {"lines": [line(lamp, *other)]}, key="k-1"),
        with_key(api, STOCK, {"lines": [line(ink, "received", 5)]}, key="k-1"),
        with_key(api, STOCK, {"lines": [line(lamp, "received", 5, note="x")]}, key="k-1"),
    ]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert {answer.json()["code"] for answer in answers} == {"idempotency_mismatch"}
    assert (available(lamp), available(ink)) == (15, 10)


def test_two_batches_at_once_under_one_key_are_one(api):
    lamp, ink = ProductFactory(stock=0), ProductFactory(stock=0)

    answers = race([lambda p=p: receive(api, p, key="k") for p in (lamp, ink)])

    assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert available(lamp) + available(ink) == 5


def test_without_its_turn_the_key_would_move_both(api, monkeypatch):
    """The negative control of the one before: it is the lock on the key that makes rivals take turns."""
    lamp, ink = ProductFactory(stock=0), ProductFactory(stock=0)
    monkeypatch.setattr(moving, "moved_before", lambda cause: [])

    answers = race([lambda p=p: receive(api, p, key="k") for p in (lamp, ink)])

    assert [answer.status_code for answer in answers] == [201, 201]


def test_a_shelf_that_is_not_what_was_expected_is_told_with_the_movements_since(api):
    lamp = ProductFactory(stock=10)
    place({lamp: 2}, ship_to=ADDRESS)  # still on the shelf
    adjust_stock(lamp.pk, -3, cause=TEST)

    answer = with_key(api, STOCK, {"lines": [line(lamp, "counted", 9, expected=10)]})

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["pointer"]) == (409, "stock_moved", "/lines/0")
    assert (problem["expected"], problem["on_hand"]) == (10, 7)
    assert [(row["kind"], row["quantity"]) for row in problem["movements"]] == [("adjusted", -3)]
    assert available(lamp) == 5


def test_a_count_below_what_is_sold_names_the_orders(api):
    lamp = ProductFactory(stock=10)
    order = place({lamp: 4}, ship_to=ADDRESS).order

    answer = with_key(api, STOCK, {"lines": [line(lamp, "counted", 3)]})

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["pointer"]) == (409, "count_below_committed", "/lines/0")
    assert problem["holders"] == [{"order": str(order.uuid), "quantity": 4}]
    assert available(lamp) == 6


def test_every_unknown_product_is_pointed_at(api):
    lamp = ProductFactory(stock=10)
    lines = [{"product": name, "kind": "received", "quantity": 1} for name in ("nope", lamp.sku, str(uuid4()))]

    answer = with_key(api, STOCK, {"lines": lines})

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_product")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/lines/0/product", "/lines/2/product"]
    assert ledger(lamp) == [("opening", 10, 0, 10)]


def test_a_product_stands_in_one_line_only(api):
    lamp = ProductFactory(stock=10)
    lines = [line(lamp, "received", 1), line(lamp, "received", 1) | {"product": str(lamp.uuid)}]

    answer = with_key(api, STOCK, {"lines": lines})

    assert (answer.status_code, answer.json()["code"]) == (422, "product_twice")
    assert available(lamp) == 10


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"kind": "received", "quantity": 0}, "/lines/0/quantity"),
        ({"kind": "counted", "quantity": -1}, "/lines/0/quantity"),
        ({"kind": "adjusted", "quantity": 0, "note": "x"}, "/lines/0/quantity"),
        ({"kind": "adjusted", "quantity": 1}, "/lines/0/note"),
        ({"kind": "opening", "quantity": 1}, "/lines/0/kind"),
        ({"kind": ["received"], "quantity": 1}, "/lines/0/kind"),
        ({"kind": "received", "quantity": "1"}, "/lines/0/quantity"),
        ({"kind": "received", "quantity": 1.0}, "/lines/0/quantity"),
        ({"kind": "received", "quantity": 10**10}, "/lines/0/quantity"),
        ({"kind": "received", "quantity": 1, "expected": -1}, "/lines/0/expected"),
        ({"kind": "received", "quantity": 1, "done_by": "staff:1"}, "/lines/0/done_by"),
    ],
)
def test_a_wrong_line_is_pointed_at(api, wrong, pointer):
    lamp = ProductFactory(stock=10)

    answer = with_key(api, STOCK, {"lines": [{"product": lamp.sku} | wrong]})

    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])
    assert available(lamp) == 10


@pytest.mark.parametrize("lines", [[], None, {}, "x", 1])
def test_there_is_at_least_one_line(api, lines):
    assert with_key(api, STOCK, {"lines": lines}).status_code == 422


def test_a_batch_has_at_most_500_lines(api):
    lamp = ProductFactory(stock=10)

    answer = with_key(api, STOCK, {"lines": [line(lamp, "received", 1)] * 501})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/lines")


def test_the_key_is_required(api):
    lamp = ProductFactory(stock=10)

    answer = send(api, "POST", STOCK, {"lines": [line(lamp, "received", 1)]})

    assert (answer.status_code, answer.json()["code"]) == (400, "missing_idempotency_key")
    assert available(lamp) == 10


def test_500_lines_take_no_more_statements_than_one(api, django_assert_max_num_queries):
    products = [ProductFactory(stock=1) for _ in range(50)]

    with django_assert_max_num_queries(8):
        answer = with_key(api, STOCK, {"lines": [line(p, "received", 1, note=p.name) for p in products]})

    assert answer.status_code == 201
