from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError

from orders.errors import Excess, IllegalMove, QuantityNotCancellable
from orders.models import Order
from orders.services import cancel_order, complete_order, ship_order
from tests.factories import ADDRESS, ProductFactory, available, committed, ledger, placed, timeline

pytestmark = pytest.mark.django_db(transaction=True)

HOLD = timedelta(minutes=15)
DONE = {"done_by": "staff:1"}


def test_completing_a_held_order_hands_its_units_over():
    lamp = ProductFactory()
    order = placed({lamp: 4}, hold=HOLD)

    order = complete_order(order.pk, **DONE)

    assert (order.status, order.version, order.completed_at is not None) == ("completed", 2, True)
    assert ledger(lamp)[1:] == [("ordered", -4, 4, 6), ("completed", 0, -4, 6)]
    assert timeline(order) == [("placed", "", "pending"), ("completed", "pending", "completed")]


def test_completing_a_held_order_with_an_address_leaves_its_units_on_the_shelf():
    lamp = ProductFactory()
    order = placed({lamp: 4}, hold=HOLD, ship_to=ADDRESS)

    order = complete_order(order.pk, **DONE)

    assert (available(lamp), committed(lamp)) == (6, 4)
    assert order.legal_moves == ["ship", "cancel"]


def test_shipping_takes_the_units_from_the_shelf():
    lamp = ProductFactory()
    order = placed({lamp: 4}, ship_to=ADDRESS)

    order = ship_order(order.pk, tracking={"carrier": "DHL", "number": "7"}, **DONE)

    assert (order.status, order.tracking) == ("completed", {"carrier": "DHL", "number": "7"})
    assert order.shipped_at is not None
    assert ledger(lamp)[1:] == [("ordered", -4, 4, 6), ("shipped", 0, -4, 6)]
    assert timeline(order)[-1] == ("shipped", "completed", "completed")


@pytest.mark.parametrize("waits", [{"hold": HOLD}, {"ship_to": ADDRESS}])
def test_cancelling_puts_waiting_units_on_sale_again(waits):
    lamp = ProductFactory()
    order = placed({lamp: 4}, **waits)

    order = cancel_order(order.pk, reason="changed my mind", **DONE)

    assert (order.status, order.total_price, order.current_total) == ("cancelled", Decimal("79.96"), Decimal("0.00"))
    assert (order.cancel_reason, order.cancelled_at is not None) == ("changed my mind", True)
    assert ledger(lamp)[-1] == ("cancelled", 4, -4, 10)
    assert timeline(order)[-1][0] == "cancelled"


def test_cancelling_without_restock_writes_waiting_units_off():
    lamp = ProductFactory()
    order = placed({lamp: 4}, ship_to=ADDRESS)

    cancel_order(order.pk, restock=False, **DONE)

    assert ledger(lamp)[-1] == ("cancelled", 0, -4, 6)
    assert (available(lamp), committed(lamp)) == (6, 0)


def test_cancelling_after_the_hand_over_is_a_return():
    lamp = ProductFactory()
    order = placed({lamp: 4})

    cancel_order(order.pk, **DONE)

    assert ledger(lamp)[-1] == ("returned", 4, 0, 10)


def test_a_return_that_is_not_restocked_moves_nothing():
    lamp = ProductFactory()
    order = placed({lamp: 4})

    order = cancel_order(order.pk, restock=False, **DONE)

    assert order.status == "cancelled"
    assert len(ledger(lamp)) == 2


def test_cancelling_some_units_leaves_the_rest_of_the_order():
    lamp, ink = ProductFactory(price=Decimal("10.00")), ProductFactory(price=Decimal("1.50"))
    order = placed({lamp: 4, ink: 2}, ship_to=ADDRESS)

    order = cancel_order(order.pk, quantities={lamp.pk: 1, ink.pk: 2}, **DONE)

    assert (order.status, order.total_price, order.current_total) == ("completed", Decimal("43.00"), Decimal("30.00"))
    assert [(item.quantity, item.cancelled_quantity) for item in order.items.all()] == [(4, 1), (2, 2)]
    assert (available(lamp), committed(lamp), available(ink), committed(ink)) == (7, 3, 10, 0)
    assert timeline(order)[-1] == ("items_cancelled", "completed", "completed")
    event = order.events.last()
    assert event.data["quantities"] == {str(lamp.pk): 1, str(ink.pk): 2}


def test_cancelling_the_last_units_cancels_the_order():
    lamp = ProductFactory()
    order = placed({lamp: 4}, ship_to=ADDRESS)
    cancel_order(order.pk, quantities={lamp.pk: 3}, **DONE)

    order = cancel_order(order.pk, quantities={lamp.pk: 1}, **DONE)

    assert order.status == "cancelled"
    assert (available(lamp), committed(lamp)) == (10, 0)


def test_shipping_takes_only_what_was_not_cancelled():
    lamp = ProductFactory()
    order = placed({lamp: 4}, ship_to=ADDRESS)
    cancel_order(order.pk, quantities={lamp.pk: 3}, **DONE)

    ship_order(order.pk, **DONE)

    assert ledger(lamp)[-1] == ("shipped", 0, -1, 9)


def test_no_more_can_be_cancelled_than_the_order_still_holds():
    lamp, ink, rug = ProductFactory(), ProductFactory(), ProductFactory()
    order = placed({lamp: 4, ink: 1})
    cancel_order(order.pk, quantities={lamp.pk: 3}, **DONE)

    with pytest.raises(QuantityNotCancellable) as refusal:
        cancel_order(order.pk, quantities={lamp.pk: 2, ink.pk: 1, rug.pk: 1}, **DONE)

    assert refusal.value.lines == [Excess(lamp.pk, 2, 1), Excess(rug.pk, 1, 0)]
    assert (available(lamp), available(ink)) == (9, 9)


ILLEGAL = [
    ({}, complete_order, ["cancel"]),
    ({}, ship_order, ["cancel"]),
    ({"hold": HOLD}, ship_order, ["complete", "cancel", "extend"]),
    ({"ship_to": ADDRESS}, complete_order, ["ship", "cancel"]),
]


@pytest.mark.parametrize(("options", "move", "legal"), ILLEGAL)
def test_an_illegal_move_is_refused_with_the_legal_ones_and_changes_nothing(options, move, legal):
    lamp = ProductFactory()
    order = placed({lamp: 4}, **options)
    before = Order.objects.values().get()

    with pytest.raises(IllegalMove) as refusal:
        move(order.pk, **DONE)

    assert refusal.value.data() == {"order_status": order.status, "legal_moves": legal}
    assert Order.objects.values().get() == before
    assert len(ledger(lamp)) == 2
    assert len(timeline(order)) == 1


@pytest.mark.parametrize("move", [complete_order, ship_order, cancel_order])
def test_a_cancelled_order_stays_cancelled(move):
    order = placed({ProductFactory(): 1}, ship_to=ADDRESS)
    cancel_order(order.pk, **DONE)

    with pytest.raises(IllegalMove):
        move(order.pk, **DONE)


def test_an_order_is_shipped_once():
    order = placed({ProductFactory(): 1}, ship_to=ADDRESS)
    ship_order(order.pk, **DONE)

    with pytest.raises(IllegalMove):
        ship_order(order.pk, **DONE)


def test_the_database_itself_keeps_the_timeline_append_only():
    order = placed({ProductFactory(): 1})

    with pytest.raises(IntegrityError, match="only ever added"):
        order.events.update(kind="shipped")
