"""Every two things that can happen to an order, at once: each is done or refused, and the books balance."""

from datetime import timedelta
from itertools import combinations_with_replacement

import pytest

from orders.books import check_books
from orders.models import Order, OrderQuerySet
from orders.services import expire_holds
from tests.factories import ADDRESS, ProductFactory, available, committed, placed
from tests.races import race
from tests.test_holds import let_time_pass
from tests.v1 import STOCK, order_url, patch, product_url, send, with_key

HOUR = timedelta(hours=1)


def move(name, body):
    return lambda api, order, lamp: send(api, "POST", order_url(order, name), body)


def cancel_one(api, order, lamp):
    return send(api, "POST", order_url(order, "cancel"), {"items": [{"product": lamp.sku, "quantity": 1}]})


def count(api, order, lamp):
    return with_key(api, STOCK, {"lines": [{"product": lamp.sku, "kind": "counted", "quantity": 9}]})


def place(api, order, lamp):
    return with_key(api, "/api/v1/orders/", {"items": [{"product": lamp.sku, "quantity": 7}]})


THINGS = {
    "complete": move("complete", {}),
    "cancel": move("cancel", {"reason": "x"}),
    "cancel one": cancel_one,
    "ship": move("ship", {"carrier": "DHL"}),
    "extend": move("extend", {"hold": 60}),
    "sweep": lambda api, order, lamp: expire_holds(done_by="command:test"),
    "count": count,
    "place": place,
    "archive": lambda api, order, lamp: api.delete(product_url(lamp)),
    "rename": lambda api, order, lamp: patch(api, product_url(lamp), {"sku": "NEW"}),
}
STATES = {"held": {"hold": HOUR}, "over": {"hold": HOUR}, "sold": {}}
PAIRS = [
    (one, other, state)
    for one, other in combinations_with_replacement(THINGS, 2)
    for state in (["over"] if "sweep" in (one, other) else ["held", "sold"])
]


@pytest.mark.parametrize(("one", "other", "state"), PAIRS)
def test_two_at_once(api, one, other, state):
    lamp = ProductFactory(stock=10)
    order = placed({lamp: 3}, ship_to=ADDRESS, **STATES[state])
    if state == "over":
        let_time_pass(order)

    answers = race([lambda name=name: THINGS[name](api, order, lamp) for name in (one, other)])

    statuses = {getattr(answer, "status_code", answer) for answer in answers}
    assert statuses <= {0, 1, 200, 201, 409, 422}, answers
    assert check_books() == []
    assert available(lamp) >= 0 <= committed(lamp)
    assert Order.objects.get(pk=order.pk).version <= 3


def test_negative_control_without_the_lock_on_the_order_two_at_once_spoil_the_books(api, monkeypatch):
    monkeypatch.setattr(OrderQuerySet, "select_for_update", lambda self, **_: self)
    lamp = ProductFactory(stock=100)
    orders = [placed({lamp: 3}, ship_to=ADDRESS) for _ in range(10)]

    answers = [
        answer
        for order in orders
        for answer in race(
            [lambda order=order: cancel_one(api, order, lamp), lambda order=order: THINGS["ship"](api, order, lamp)]
        )
    ]

    assert check_books() or 500 in {answer.status_code for answer in answers}
