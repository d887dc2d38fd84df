"""The corrected body of a shortage passes as it is, or none is given."""

import json
from decimal import Decimal

import pytest

from catalog.services import update_product
from orders.books import check_books
from orders.models import Order
from tests.factories import TEST, ProductFactory, available
from tests.v1 import ORDERS, send, with_key


@pytest.fixture
def shop(transactional_db):
    """Two lamps at 10.00, five inks at 1.50, and no pen."""
    return {
        "lamp": ProductFactory(sku="LAMP", price="10", stock=2),
        "ink": ProductFactory(sku="INK", price="1.50", stock=5),
        "pen": ProductFactory(sku="PEN", price="3", stock=0),
    }


def basket(shop, *lines) -> list[dict]:
    """A line is a name and a quantity: `lamp` by its sku, `LAMP` by its uuid in capitals."""
    names = {name: product.sku for name, product in shop.items()}
    names |= {name.upper(): str(product.uuid).upper() for name, product in shop.items()}
    return [{"product": names[name], "quantity": quantity} for name, quantity in lines]


BASKETS = [
    ([("lamp", 3)], "30.00", "20.00"),
    ([("lamp", 2), ("LAMP", 1)], "30", "20.00"),
    ([("lamp", 1), ("LAMP", 9)], 100, "20.00"),
    ([("pen", 1), ("ink", 5)], "10.5", "7.50"),
    ([("ink", 3), ("PEN", 2), ("INK", 3), ("lamp", 4)], "55.00", "27.50"),
    ([("lamp", 10)], "1e2", "20.00"),
]


@pytest.mark.parametrize(("lines", "total", "corrected"), BASKETS, ids=range(len(BASKETS)))
def test_it_passes_as_it_is(api, shop, lines, total, corrected):
    written = json.dumps({"items": basket(shop, *lines), "expected_total": total, "hold": 60})
    short = with_key(api, ORDERS, written.replace('"1e2"', "1e2").encode())
    asked = send(api, "POST", f"{ORDERS}?dry_run=true", short.json()["corrected"])

    answer = with_key(api, ORDERS, short.json()["corrected"])

    assert (short.status_code, short.json()["corrected"]["expected_total"]) == (409, corrected)
    assert (asked.status_code, answer.status_code) == (200, 201)
    assert (answer.json()["status"], answer.json()["total_price"]) == ("pending", corrected)
    assert check_books() == []


def test_other_prices_are_told_before_what_is_short(api, shop):
    body = {"items": basket(shop, ("lamp", 3)), "expected_total": "30.00"}
    update_product(shop["lamp"].pk, {"price": Decimal("12")}, cause=TEST)

    first = with_key(api, ORDERS, body)
    second = with_key(api, ORDERS, body | {"expected_total": first.json()["total_price"]})
    third = with_key(api, ORDERS, second.json()["corrected"])

    assert (first.status_code, first.json()["code"], first.json()["total_price"]) == (409, "price_changed", "36.00")
    assert (second.status_code, second.json()["code"]) == (409, "insufficient_stock")
    assert (third.status_code, third.json()["total_price"], available(shop["lamp"])) == (201, "24.00", 0)


@pytest.mark.parametrize("lines", [[("pen", 1)], [("pen", 1), ("PEN", 1)]])
def test_of_nothing_there_is_none(api, shop, lines):
    answer = with_key(api, ORDERS, {"items": basket(shop, *lines)})

    assert (answer.status_code, answer.json()["corrected"], Order.objects.count()) == (409, None, 0)


def test_a_total_that_no_order_may_have_is_too_large_whatever_was_expected(api, shop):
    update_product(shop["lamp"].pk, {"price": Decimal("9999999999.99")}, cause=TEST)

    answer = with_key(api, ORDERS, {"items": basket(shop, ("lamp", 101)), "expected_total": "30.00"})

    assert (answer.status_code, answer.json()["code"]) == (422, "order_too_large")
