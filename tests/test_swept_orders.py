"""An order whose hold was swept may still be completed: its units are taken again, or nothing is."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import F

from catalog.errors import Shortage
from catalog.services import update_product
from orders.books import check_books
from orders.errors import HoldExpired, IllegalMove
from orders.models import Order
from orders.services import add_note, cancel_order, complete_order, expire_holds, ship_order
from tests.factories import ADDRESS, TEST, ProductFactory, available, committed, ledger, place, timeline
from tests.races import race
from tests.test_holds import HOUR, held, let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)
BY = {"done_by": "command:test"}
DAY = timedelta(days=1)


def swept(lamp, quantity=4, **options) -> Order:
    order = held(lamp, quantity, **options)
    let_time_pass(order)
    expire_holds(**BY)
    order.refresh_from_db()
    assert (order.status, order.hold_was_swept, order.legal_moves) == ("cancelled", True, ["complete"])
    return order


def test_its_units_are_taken_again_and_handed_over():
    lamp = ProductFactory(stock=10)
    order = swept(lamp)

    done = complete_order(order.pk, **BY)

    assert (done.status, done.cancelled_at, done.cancel_reason, done.hold_expires_at) == ("completed", None, "", None)
    assert done.current_total == done.total_price
    assert ledger(lamp)[1:] == [("ordered", -4, 4, 6), ("cancelled", 4, -4, 10), ("retaken", -4, 0, 6)]
    assert timeline(order)[-1] == ("completed", "cancelled", "completed")
    assert (available(lamp), committed(lamp), check_books()) == (6, 0, [])


def test_with_an_address_they_wait_on_the_shelf_and_go_on_as_any_others():
    lamp = ProductFactory(stock=10)
    order = swept(lamp, ship_to=ADDRESS)

    complete_order(order.pk, **BY)
    cancel_order(order.pk, quantities={lamp.pk: 1}, **BY)
    assert (available(lamp), committed(lamp), check_books()) == (7, 3, [])
    ship_order(order.pk, **BY)
    cancel_order(order.pk, restock=False, **BY)

    assert (available(lamp), committed(lamp), check_books()) == (7, 0, [])


def test_what_was_cancelled_before_the_sweep_stays_cancelled():
    lamp = ProductFactory(stock=10, price="5")
    order = held(lamp, 4)
    cancel_order(order.pk, quantities={lamp.pk: 1}, **BY)
    let_time_pass(order)
    expire_holds(**BY)
    add_note(order.pk, "They called.", **BY)

    done = complete_order(order.pk, **BY)

    assert (done.total_price, done.current_total, done.items.get().cancelled_quantity) == (20, 15, 1)
    assert (available(lamp), check_books()) == (7, [])


def test_where_units_are_gone_nothing_changes():
    lamp, ink = ProductFactory(stock=4), ProductFactory(stock=4)
    order = place({lamp: 4, ink: 4}, hold=HOUR).order
    let_time_pass(order)
    expire_holds(**BY)
    place({ink: 3})
    before = timeline(order)

    with pytest.raises(HoldExpired) as refusal:
        complete_order(order.pk, **BY)

    assert [(short.product, short.wanted, short.available) for short in refusal.value.shortages] == [(ink, 4, 1)]
    order.refresh_from_db()
    assert (order.status, timeline(order), available(lamp), available(ink)) == ("cancelled", before, 4, 1)
    assert check_books() == []


def test_units_that_wait_for_a_sweep_of_another_are_freed_first():
    lamp = ProductFactory(stock=4)
    order = swept(lamp)
    let_time_pass(held(lamp, 4))

    assert complete_order(order.pk, **BY).status == "completed"
    assert (available(lamp), check_books()) == (0, [])


def swept_long_ago(lamp, ago: timedelta) -> Order:
    order = swept(lamp)
    Order.objects.filter(pk=order.pk).update(cancelled_at=F("cancelled_at") - ago)
    order.refresh_from_db()
    return order


def test_within_a_day_it_is_still_bought_at_its_price():
    lamp = ProductFactory(stock=4, price="5")
    order = swept_long_ago(lamp, DAY - timedelta(minutes=1))
    update_product(lamp.pk, {"price": "9"}, cause=TEST)

    assert order.legal_moves == ["complete"]
    assert complete_order(order.pk, **BY).current_total == 20


def test_after_a_day_it_is_not():
    lamp = ProductFactory(stock=4)
    order = swept_long_ago(lamp, DAY)
    before = timeline(order)

    with pytest.raises(HoldExpired, match="more than a day") as refusal:
        complete_order(order.pk, **BY)

    assert (refusal.value.data(), order.legal_moves) == ({"shortages": []}, [])
    assert (timeline(order), available(lamp), check_books()) == (before, 4, [])


def test_what_is_no_longer_sold_is_not_taken_again():
    lamp, ink = ProductFactory(stock=4), ProductFactory(stock=4)
    order = place({lamp: 4, ink: 1}, hold=HOUR).order
    let_time_pass(order)
    expire_holds(**BY)
    update_product(ink.pk, {"is_active": False}, cause=TEST)

    with pytest.raises(HoldExpired) as refusal:
        complete_order(order.pk, **BY)

    assert refusal.value.shortages == [Shortage(ink, 1, 0)]
    assert (available(lamp), available(ink), check_books()) == (4, 4, [])


def test_a_hold_that_nobody_has_swept_yet_still_has_its_units():
    lamp = ProductFactory(stock=4)
    order = held(lamp)
    let_time_pass(order)
    update_product(lamp.pk, {"is_active": False}, cause=TEST)

    assert complete_order(order.pk, **BY).status == "completed"


def test_an_order_that_somebody_cancelled_stays_so():
    lamp = ProductFactory(stock=4)
    order = held(lamp)

    cancelled = cancel_order(order.pk, reason="the hold is over", **BY)

    assert (cancelled.hold_expires_at, cancelled.legal_moves) == (None, [])
    with pytest.raises(IllegalMove):
        complete_order(order.pk, **BY)
    assert available(lamp) == 4


def test_two_completions_at_once_are_one():
    lamp = ProductFactory(stock=10)
    order = swept(lamp)

    outcomes = race([lambda: complete_order(order.pk, **BY)] * 4)

    assert Counter(type(outcome) for outcome in outcomes) == {Order: 1, IllegalMove: 3}
    assert (available(lamp), check_books()) == (6, [])


def test_of_two_that_want_the_last_units_one_gets_them():
    lamp = ProductFactory(stock=4)
    orders = [swept(lamp) for _ in range(2)]

    outcomes = race([lambda pk=order.pk: complete_order(pk, **BY) for order in orders])

    assert Counter(type(outcome) for outcome in outcomes) == {Order: 1, HoldExpired: 1}
    assert (available(lamp), check_books()) == (0, [])


def test_a_completion_against_the_sweep_ends_completed_whoever_is_first():
    for _ in range(10):
        lamp = ProductFactory(stock=4)
        order = held(lamp)
        let_time_pass(order)

        race([lambda pk=order.pk: complete_order(pk, **BY), lambda: expire_holds(**BY)])

        order.refresh_from_db()
        assert (order.status, available(lamp)) == ("completed", 0)
    assert check_books() == []
