"""Each race has its negative control: the same race without what protects it goes wrong, or the test proves nothing."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, transaction

from catalog.errors import InsufficientStock
from catalog.models import Stock, StockQuerySet
from catalog.services import adjust_stock, receive_stock, update_product
from ecommerce import prepared
from orders.errors import IllegalMove
from orders.models import Order
from orders.services import Placed, cancel_order, ship_order, writing
from tests.factories import ADDRESS, TEST, ProductFactory, available, committed, ledger, place, placed
from tests.races import in_thread, race

pytestmark = pytest.mark.django_db(transaction=True)

BUYERS, UNITS = 400, 37


@pytest.fixture
def statement(monkeypatch) -> Iterator[Callable[[Any, str, Any], None]]:
    """Changes what the statements that place an order are made of."""

    def change(owner: Any, name: str, value: Any) -> None:
        monkeypatch.setattr(owner, name, value)
        writing.words_to_place.cache_clear()

    yield change
    monkeypatch.undo()
    writing.words_to_place.cache_clear()


@pytest.fixture
def no_lock(statement):
    statement(StockQuerySet, "locked", lambda self, ids: self.filter(pk__in=ids).order_by("pk"))


@pytest.fixture
def read_check_write(statement):
    """Counters computed from what was read, and written back as most shops do: right under the lock, wrong without."""
    careless = writing.MOVE_STOCK.replace("SET available = stock.available", "SET available = seen.available").replace(
        "FROM change\n", "FROM change JOIN catalog_stock AS seen USING (product_id), pg_sleep(0.002)\n", 1
    )
    statement(writing, "MOVE_STOCK", careless)


def rush() -> Counter:
    lamp = ProductFactory(stock=UNITS)
    outcomes = race([lambda: place({lamp: 1})] * BUYERS, threads=16)
    return Counter(type(outcome) for outcome in outcomes)


def test_four_hundred_buyers_of_thirty_seven_units_get_thirty_seven():
    assert rush() == {Placed: UNITS, InsufficientStock: BUYERS - UNITS}
    assert Stock.objects.get().available == 0


@pytest.mark.usefixtures("read_check_write")
def test_the_lock_alone_keeps_even_a_careless_write_right():
    assert rush() == {Placed: UNITS, InsufficientStock: BUYERS - UNITS}


@pytest.mark.usefixtures("read_check_write", "no_lock")
def test_negative_control_without_the_lock_a_careless_write_oversells():
    assert rush()[Placed] > UNITS


@pytest.mark.usefixtures("no_lock")
def test_without_the_lock_the_update_itself_refuses():
    assert rush() == {Placed: UNITS, InsufficientStock: BUYERS - UNITS}


def test_twelve_requests_at_once_with_one_key_place_one_order():
    lamp = ProductFactory()

    outcomes = race([lambda: place({lamp: 1}, key="k-1", fingerprint="f")] * 12)

    assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * 11
    assert len({outcome.order.pk for outcome in outcomes}) == 1
    assert available(lamp) == 9


def test_negative_control_without_a_key_twelve_requests_place_twelve_orders():
    lamp = ProductFactory(stock=12)

    race([lambda: place({lamp: 1})] * 12)

    assert Order.objects.count() == 12


def test_retries_at_once_of_the_order_that_took_the_last_unit_get_it_back():
    lamp = ProductFactory(stock=1)

    outcomes = race([lambda: place({lamp: 1}, key="k-1", fingerprint="f")] * 8)

    assert {type(outcome) for outcome in outcomes} == {Placed}
    assert Order.objects.count() == 1


def test_opposite_carts_wait_for_each_other_and_never_deadlock():
    lamp, ink = ProductFactory(stock=200), ProductFactory(stock=200)

    outcomes = race([lambda: place({lamp: 1, ink: 1}), lambda: place({ink: 1, lamp: 1})] * 60, threads=8)

    assert {type(outcome) for outcome in outcomes} == {Placed}
    assert (available(lamp), available(ink)) == (80, 80)


def test_negative_control_without_an_order_of_locks_opposite_carts_deadlock(statement):
    lamp, ink = ProductFactory(stock=200), ProductFactory(stock=200)
    locked = lambda self, ids: self.filter(pk__in=ids).order_by("?").select_for_update(of=("self",), no_key=True)  # noqa: E731

    statement(StockQuerySet, "locked", locked)
    outcomes = race([lambda: place({lamp: 1, ink: 1})] * 60, threads=8)

    assert "deadlock detected" in str([outcome for outcome in outcomes if isinstance(outcome, OperationalError)])


def stop_before_commit(monkeypatch) -> tuple[threading.Event, threading.Event]:
    """The statement of an order leaves its commit to the transaction, which says that it is there and waits."""
    reached, let_go = threading.Event(), threading.Event()
    fetch = prepared.fetch

    def fetch_and_stop(sql, values, *, commit=False):
        rows = fetch(sql, values)
        if commit:
            reached.set()
            assert let_go.wait(timeout=10)
        return rows

    monkeypatch.setattr(prepared, "fetch", fetch_and_stop)
    return reached, let_go


def is_ink_free_while_a_rival_waits_for_its_key(monkeypatch) -> bool:
    """One order stops before its commit; a rival with the same key wants something else, which is looked at."""
    lamp, ink = ProductFactory(), ProductFactory()
    reached, let_go = stop_before_commit(monkeypatch)
    first, _ = in_thread(lambda: place({lamp: 1}, key="k-1", fingerprint="f"))
    assert reached.wait(timeout=10)
    rival, _ = in_thread(lambda: place({ink: 1}, key="k-1", fingerprint="g"))
    time.sleep(0.3)
    try:
        with transaction.atomic():
            return Stock.objects.select_for_update(nowait=True).filter(pk=ink.pk).exists()
    except OperationalError:
        return False
    finally:
        let_go.set()
        first.join()
        rival.join()


def test_a_rival_that_waits_for_its_key_holds_no_stock(monkeypatch):
    assert is_ink_free_while_a_rival_waits_for_its_key(monkeypatch)


def test_negative_control_where_stock_is_locked_before_the_key_a_rival_holds_it(monkeypatch, statement):
    lock = "SELECT FROM catalog_stock WHERE product_id = ANY (%(names)s::bigint[]) FOR NO KEY UPDATE"
    lock_first = writing.PLACE_ORDER.replace("WITH", f"WITH locked AS ({lock}),", 1).replace(
        "SELECT %(order_uuid)s,", "SELECT (SELECT %(order_uuid)s::uuid FROM (SELECT count(*) FROM locked) AS first),"
    )
    statement(writing, "PLACE_ORDER", lock_first)

    assert not is_ink_free_while_a_rival_waits_for_its_key(monkeypatch)


def test_two_cancellations_at_once_give_the_units_back_once():
    lamp = ProductFactory()
    order = placed({lamp: 4})

    outcomes = race([lambda: cancel_order(order.pk, done_by="staff:1")] * 6)

    assert Counter(type(outcome) for outcome in outcomes) == {Order: 1, IllegalMove: 5}
    assert available(lamp) == 10


def test_shipping_and_cancelling_at_once_leave_no_unit_on_both_sides():
    lamp = ProductFactory()
    order = placed({lamp: 4}, ship_to=ADDRESS)

    race([lambda: ship_order(order.pk, done_by="staff:1"), lambda: cancel_order(order.pk, done_by="staff:2")])

    assert (available(lamp), committed(lamp)) in {(10, 0)}
    assert ledger(lamp)[2:] in (
        [("cancelled", 4, -4, 10)],
        [("shipped", 0, -4, 6), ("returned", 4, 0, 10)],
    )


def test_selling_and_receiving_at_once_lose_nothing():
    lamp = ProductFactory(stock=100)

    race([lambda: place({lamp: 1}), lambda: receive_stock(lamp.pk, 2, cause=TEST)] * 40, threads=8)

    assert available(lamp) == 140


def test_a_form_sent_twice_at_once_counts_once():
    lamp = ProductFactory()
    form = lambda: receive_stock(lamp.pk, 5, cause=keyed)  # noqa: E731
    keyed = type(TEST)(done_by="staff:1", key="form-1")

    outcomes = race([form] * 6)

    assert len({outcome.pk for outcome in outcomes}) == 1
    assert available(lamp) == 15


def sell_while_the_sku_changes(lamp, monkeypatch) -> list:
    """An order stops between its stock and its commit; meanwhile staff change the sku and then the stock."""
    reached, let_go = stop_before_commit(monkeypatch)

    def edit():
        with transaction.atomic():
            update_product(lamp.pk, {"sku": "NEW"}, cause=TEST)
            adjust_stock(lamp.pk, 5, cause=TEST)

    selling, sold = in_thread(lambda: place({lamp: 1}))
    assert reached.wait(timeout=10)
    editing, edited = in_thread(edit)
    time.sleep(0.3)
    let_go.set()
    selling.join()
    editing.join()
    return sold + edited


def test_a_change_of_sku_waits_for_the_order_that_is_being_placed(monkeypatch):
    lamp = ProductFactory()

    placed, edited = sell_while_the_sku_changes(lamp, monkeypatch)

    assert isinstance(placed, Placed)
    assert edited is None
    assert available(lamp) == 14


def test_negative_control_a_change_of_sku_that_does_not_lock_the_stock_first_deadlocks(monkeypatch):
    lamp = ProductFactory()
    monkeypatch.setattr("catalog.services.products.lock", list)

    outcomes = sell_while_the_sku_changes(lamp, monkeypatch)

    assert "deadlock detected" in str([outcome for outcome in outcomes if isinstance(outcome, OperationalError)])
