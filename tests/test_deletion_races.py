"""A product is deleted while somebody else has it in hand: whoever is second is told so, and it is never a fault."""

import time

import pytest

from catalog.models import Product, Stock
from catalog.services import products
from tests.factories import ProductFactory, available, ledger
from tests.races import Pause, in_thread, race
from tests.v1 import STOCK, patch, product_url, with_key

DELETES_STOCK, WRITES_THE_LEDGER = 'DELETE FROM "catalog_stock"', "INSERT INTO catalog_stockmovement"


def receive(api, product):
    return with_key(api, STOCK, {"lines": [{"product": product.sku, "kind": "received", "quantity": 5}]})


def second_while_the_first_pauses(first, second, *, before: str) -> list:
    """What both were answered; the first stops before this statement until the second waits for it."""
    pause = Pause(before)

    def paused():
        with pause.on_this_connection():
            return first()

    one, first_answers = in_thread(paused)
    assert pause.reached.wait(timeout=10)
    other, second_answers = in_thread(second)
    time.sleep(0.3)
    pause.let_go.set()
    one.join()
    other.join()
    return first_answers + second_answers


@pytest.mark.parametrize(
    ("second", "status", "code"),
    [
        (receive, 422, "unknown_product"),
        (lambda api, lamp: patch(api, product_url(lamp), {"name": "Torch"}), 404, "not_found"),
        (lambda api, lamp: patch(api, product_url(lamp), {"name": "Torch"}, **{"If-Match": '"1"'}), 404, "not_found"),
        (lambda api, lamp: api.delete(product_url(lamp)), 404, "not_found"),
    ],
    ids=["stock", "change", "change of a version", "delete"],
)
def test_whoever_comes_after_the_deletion_is_told_that_it_is_gone(api, second, status, code):
    lamp = ProductFactory(stock=0)

    deleted, late = second_while_the_first_pauses(
        lambda: api.delete(product_url(lamp)), lambda: second(api, lamp), before=DELETES_STOCK
    )

    assert (deleted.status_code, late.status_code, late.json()["code"]) == (204, status, code)
    assert not Product.objects.exists()


def deletion_after_a_delivery(api, lamp) -> list:
    return second_while_the_first_pauses(
        lambda: receive(api, lamp), lambda: api.delete(product_url(lamp)), before=WRITES_THE_LEDGER
    )


def test_a_deletion_after_a_delivery_archives(api):
    lamp = ProductFactory(stock=0)

    received, deleted = deletion_after_a_delivery(api, lamp)

    assert (received.status_code, deleted.status_code, deleted.json()["is_active"]) == (201, 200, False)
    assert (available(lamp), ledger(lamp)) == (5, [("received", 5, 0, 5)])


def test_negative_control_a_deletion_without_the_lock_does_not_see_the_delivery(api, monkeypatch):
    lamp = ProductFactory(stock=0)
    monkeypatch.setattr(products, "lock", list)

    received, deleted = deletion_after_a_delivery(api, lamp)

    assert 500 in (received.status_code, deleted.status_code)


def test_all_at_once_end_in_one_of_the_two(api):
    for _ in range(5):
        lamp = ProductFactory(stock=0)
        calls = [
            lambda lamp=lamp: api.delete(product_url(lamp)),
            lambda lamp=lamp: receive(api, lamp),
            lambda lamp=lamp: patch(api, product_url(lamp), {"name": "Torch"}),
        ]

        answers = race(calls)

        assert all(answer.status_code in (200, 201, 204, 404, 422) for answer in answers)
        assert Product.objects.filter(pk=lamp.pk).exists() == Stock.objects.filter(pk=lamp.pk).exists()
