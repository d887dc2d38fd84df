"""What the database itself takes for an entry of the ledger or of a timeline: every combination, asked one by one."""

from itertools import product
from uuid import uuid4

import pytest
from django.db import IntegrityError, models, transaction

from catalog.models import StockMovement
from orders.models import Order, OrderEvent
from tests.factories import ProductFactory, placed

pytestmark = pytest.mark.django_db

STATUSES = ["", *Order.Status.values, "other"]


def is_taken(row: models.Model) -> bool:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            transaction.set_rollback(True)
    except IntegrityError as error:
        return "violates check constraint" not in str(error)
    return True


def fits(kind: str, is_of_order: bool, available: int, committed: int) -> bool:
    match kind:
        case "opening" | "received":
            return not is_of_order and available > 0 and committed == 0
        case "adjusted":
            return not is_of_order and available != 0 and committed == 0
        case "counted":
            return not is_of_order and committed == 0
        case "ordered" | "retaken":
            return is_of_order and available < 0 and committed in (0, -available)
        case "completed" | "shipped":
            return is_of_order and available == 0 and committed < 0
        case "cancelled":
            return is_of_order and committed < 0 and available in (0, -committed)
        case "returned":
            return is_of_order and available > 0 and committed == 0
    return False


@pytest.mark.parametrize("kind", [*StockMovement.Kind.values, "other"])
def test_a_kind_of_movement_has_its_ways_to_move_the_counters(kind):
    lamp, changes = ProductFactory(), range(-2, 3)

    for is_of_order, available, committed in product((True, False), changes, changes):
        row = StockMovement(
            product=lamp,
            kind=kind,
            order_uuid=uuid4() if is_of_order else None,
            available_change=available,
            committed_change=committed,
            available_after=10,
            done_by="command:test",
        )
        assert is_taken(row) is fits(kind, is_of_order, available, committed), (is_of_order, available, committed)


def is_legal(kind: str, old: str, new: str) -> bool:
    match kind:
        case "placed":
            return old == "" and new in ("pending", "completed")
        case "completed":
            return old in ("pending", "cancelled") and new == "completed"
        case "cancelled":
            return old in ("pending", "completed") and new == "cancelled"
        case "hold_expired":
            return (old, new) == ("pending", "cancelled")
        case "shipped":
            return (old, new) == ("completed", "completed")
        case "hold_extended":
            return (old, new) == ("pending", "pending")
        case "items_cancelled":
            return old in ("pending", "completed") and new == old
        case "note_added":
            return old in Order.Status.values and new == old
    return False


@pytest.mark.parametrize("kind", [*OrderEvent.Kind.values, "other"])
def test_a_kind_of_event_has_its_moves_of_the_status(kind):
    order = placed({ProductFactory(): 1})

    for old, new in product(STATUSES, STATUSES):
        row = OrderEvent(order=order, kind=kind, old_status=old, new_status=new, done_by="command:test")
        if kind == "placed" and is_legal(kind, old, new):
            continue  # it has been
        assert is_taken(row) is is_legal(kind, old, new), (old, new)
