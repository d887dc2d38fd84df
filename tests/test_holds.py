"""Units that are held until a deadline, by the clock of the database."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import F

from catalog.errors import InsufficientStock
from catalog.models import Stock
from orders.books import check_books
from orders.errors import IllegalMove
from orders.models import Order, OrderQuerySet
from orders.services import Placed, complete_order, expire_holds, extend_hold
from tests.factories import ADDRESS, ProductFactory, available, committed, ledger, place, placed, timeline
from tests.races import Pause, in_thread, race

pytestmark = pytest.mark.django_db(transaction=True)

WORKER = {"done_by": "command:work"}
HOUR = timedelta(hours=1)


def held(lamp, quantity: int = 4, **options) -> Order:
    return placed({lamp: quantity}, hold=HOUR, **options)


def let_time_pass(*orders: Order) -> None:
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(hold_expires_at=F("created_at") - HOUR)


def test_a_hold_that_is_over_gives_its_units_back():
    lamp = ProductFactory()
    over, running = held(lamp), held(lamp, ship_to=ADDRESS)
    let_time_pass(over)

    assert expire_holds(**WORKER) == 1

    over.refresh_from_db()
    running.refresh_from_db()
    assert (over.status, over.cancel_reason, running.status) == ("cancelled", "the hold is over", "pending")
    assert ledger(lamp)[-1] == ("cancelled", 4, -4, 6)
    assert timeline(over)[-1] == ("hold_expired", "pending", "cancelled")
    assert check_books() == []


def test_nothing_is_swept_twice():
    let_time_pass(held(ProductFactory()))

    assert [expire_holds(**WORKER), expire_holds(**WORKER)] == [1, 0]


def test_a_hold_is_extended_from_now_on():
    order = held(ProductFactory())
    let_time_pass(order)

    order = extend_hold(order.pk, timedelta(minutes=5), done_by="staff:1")

    assert timedelta(minutes=4) < order.hold_expires_at - order.created_at < timedelta(minutes=6)
    assert expire_holds(**WORKER) == 0
    assert timeline(order)[-1] == ("hold_extended", "pending", "pending")


def test_only_a_pending_order_has_a_hold_to_extend():
    order = placed({ProductFactory(): 1})

    with pytest.raises(IllegalMove):
        extend_hold(order.pk, HOUR, done_by="staff:1")


def test_selling_does_not_wait_for_a_worker():
    lamp = ProductFactory(stock=4)
    order = held(lamp)
    let_time_pass(order)

    sold = place({lamp: 3}).order

    order.refresh_from_db()
    assert (sold.status, order.status) == ("completed", "cancelled")
    assert (available(lamp), committed(lamp)) == (1, 0)
    assert order.events.last().done_by == "open"


def test_an_order_that_is_short_leaves_holds_on_other_products_alone():
    lamp, ink = ProductFactory(stock=0), ProductFactory()
    order = held(ink)
    let_time_pass(order)

    with pytest.raises(InsufficientStock):
        place({lamp: 1})

    order.refresh_from_db()
    assert order.status == "pending"


def test_a_hold_that_is_running_is_not_sold_to_another():
    lamp = ProductFactory(stock=4)
    held(lamp)

    with pytest.raises(InsufficientStock):
        place({lamp: 1})

    assert (available(lamp), committed(lamp)) == (0, 4)


def test_ten_buyers_at_once_get_what_one_old_hold_frees():
    lamp = ProductFactory(stock=20)
    let_time_pass(held(lamp, 20))

    outcomes = race([lambda: place({lamp: 1})] * 10)

    assert {type(outcome) for outcome in outcomes} == {Placed}
    assert (available(lamp), committed(lamp)) == (10, 0)


def test_an_order_waits_for_the_worker_that_has_the_hold_in_hand():
    lamp = ProductFactory(stock=4)
    let_time_pass(held(lamp))
    pause = Pause('INSERT INTO "orders_orderevent"')

    def sweep():
        with pause.on_this_connection():
            return expire_holds(**WORKER)

    sweeping, swept = in_thread(sweep)
    assert pause.reached.wait(timeout=10)
    buying, bought = in_thread(lambda: place({lamp: 4}))
    buying.join(timeout=0.3)
    assert buying.is_alive()
    pause.let_go.set()
    sweeping.join()
    buying.join()

    assert swept == [1]
    assert isinstance(bought[0], Placed)


def test_more_old_holds_than_one_sweep_takes_are_freed_for_one_order():
    lamp = ProductFactory(stock=150)
    let_time_pass(*[held(lamp, 1) for _ in range(150)])

    assert not place({lamp: 150}).replayed
    assert (available(lamp), committed(lamp)) == (0, 0)


def test_an_order_that_breaks_the_books_does_not_keep_the_others_from_being_swept():
    broken, lamp = ProductFactory(), ProductFactory()
    let_time_pass(held(broken), held(lamp))
    Stock.objects.filter(pk=broken.pk).update(committed=0)

    assert expire_holds(**WORKER) == 1

    assert available(lamp) == 10
    with pytest.raises(InsufficientStock):
        place({broken: 7})
    assert {fault.what for fault in check_books()} == {f"product {broken.pk}"}


def test_workers_at_once_give_each_unit_back_once():
    lamp = ProductFactory(stock=100)
    let_time_pass(*[held(lamp, 1) for _ in range(30)])

    swept = race([lambda: expire_holds(**WORKER)] * 6)

    assert sum(swept) == 30
    assert (available(lamp), committed(lamp)) == (100, 0)


def test_an_order_that_is_being_completed_is_not_swept():
    lamp = ProductFactory()
    order = held(lamp)
    let_time_pass(order)
    pause = Pause('INSERT INTO "orders_orderevent"')

    def complete():
        with pause.on_this_connection():
            return complete_order(order.pk, done_by="staff:1")

    completing, completed = in_thread(complete)
    assert pause.reached.wait(timeout=10)
    assert expire_holds(**WORKER) == 0
    pause.let_go.set()
    completing.join()

    assert completed[0].status == "completed"
    assert (available(lamp), committed(lamp)) == (6, 0)


def test_completing_and_sweeping_at_once_end_in_one_of_the_two():
    lamp = ProductFactory(stock=100)
    orders = [held(lamp, 1) for _ in range(20)]
    let_time_pass(*orders)

    moves = [lambda pk=order.pk: complete_order(pk, done_by="staff:1") for order in orders]
    outcomes = race([*moves, *[lambda: expire_holds(**WORKER)] * 4], threads=6)

    statuses = Counter(Order.objects.values_list("status", flat=True))
    assert statuses["completed"] + statuses["cancelled"] == 20
    assert sum(isinstance(outcome, IllegalMove) for outcome in outcomes) == statuses["cancelled"]
    assert (available(lamp), committed(lamp)) == (100 - statuses["completed"], 0)
    assert check_books() == []


def test_negative_control_without_the_lock_workers_at_once_spoil_the_books(monkeypatch):
    lamp = ProductFactory(stock=100)
    let_time_pass(*[held(lamp, 1) for _ in range(30)])

    monkeypatch.setattr(OrderQuerySet, "select_for_update", lambda self, **_: self)
    outcomes = race([lambda: expire_holds(**WORKER)] * 6)

    assert check_books() or any(isinstance(outcome, Exception) for outcome in outcomes)
