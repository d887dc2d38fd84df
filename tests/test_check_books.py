import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from catalog.services import adjust_stock, count_stock, receive_stock, update_product
from orders.books import INVARIANTS, Fault, check_books, find_faults
from orders.models import Order
from orders.services import cancel_order, complete_order, ship_order
from tests.factories import ADDRESS, TEST, ProductFactory, place, placed
from tests.races import Pause, in_thread

ITEM, ORDER, EVENT = "orders_orderitem", "orders_order", "orders_orderevent"
STOCK, MOVEMENT, PRODUCT = "catalog_stock", "catalog_stockmovement", "catalog_product"
CHANGE = "catalog_productchange"
TABLES = {MOVEMENT, CHANGE, EVENT, "catalog_importrow"}
AN_ORDER = "(SELECT min(id) FROM orders_order)"
A_PRODUCT = "(SELECT min(product_id) FROM catalog_stock)"

FAULTS = [
    ("stock_is_never_negative", f"UPDATE {STOCK} SET available = -1"),
    ("every_product_has_a_stock_row", f"DELETE FROM {STOCK} WHERE product_id = {A_PRODUCT}"),
    ("counters_equal_the_ledger", f"UPDATE {STOCK} SET available = available + 1"),
    ("counters_equal_the_ledger", f"UPDATE {STOCK} SET committed = committed + 1"),
    ("ledger_has_a_running_balance", f"UPDATE {MOVEMENT} SET available_after = available_after + 1"),
    ("every_version_of_a_product_is_in_its_history", f"UPDATE {PRODUCT} SET version = version + 1"),
    ("every_version_of_a_product_is_in_its_history", f"DELETE FROM {CHANGE} WHERE kind = 'created'"),
    ("every_version_of_a_product_is_in_its_history", f"DELETE FROM {CHANGE} WHERE version = 2"),
    ("a_product_is_what_its_last_change_made_of_it", f"UPDATE {PRODUCT} SET price = price + 0.01"),
    ("a_product_is_what_its_last_change_made_of_it", f"UPDATE {PRODUCT} SET low_stock_at = 3"),
    ("every_line_took_its_stock_once", f"DELETE FROM {MOVEMENT} WHERE kind = 'ordered'"),
    ("every_line_took_its_stock_once", f"DELETE FROM {ITEM} WHERE order_id = {AN_ORDER}"),
    ("cancelled_units_come_back_at_most_once", f"UPDATE {MOVEMENT} SET available_change = 9 WHERE kind = 'cancelled'"),
    ("cancelled_units_come_back_when_the_event_says_so", f"DELETE FROM {MOVEMENT} WHERE kind = 'returned'"),
    ("committed_is_what_waits_on_the_shelf", f"UPDATE {MOVEMENT} SET committed_change = 0 WHERE kind = 'ordered'"),
    ("committed_is_what_waits_on_the_shelf", f"UPDATE {ORDER} SET ship_to = '{{}}' WHERE id = {AN_ORDER}"),
    ("numbers_are_in_range", f"UPDATE {PRODUCT} SET price = 'NaN'"),
    ("numbers_are_in_range", f"UPDATE {ITEM} SET quantity = 0"),
    ("subtotal_is_quantity_times_price", f"UPDATE {ITEM} SET subtotal = subtotal + 0.01"),
    ("total_is_the_sum_of_its_lines", f"UPDATE {ORDER} SET total_price = total_price + 0.01"),
    ("current_total_is_what_was_not_cancelled", f"UPDATE {ORDER} SET current_total = current_total + 0.01"),
    ("no_order_is_empty", f"DELETE FROM {ITEM} WHERE order_id = {AN_ORDER}"),
    ("one_line_per_product", f"UPDATE {ITEM} SET product_id = {A_PRODUCT}"),
    ("one_order_per_key", f"UPDATE {ORDER} SET idempotency_key = 'k-1'"),
    ("nothing_is_orphaned", f"DELETE FROM {PRODUCT} WHERE id = {A_PRODUCT}"),
    ("nothing_is_orphaned", f"DELETE FROM {ORDER} WHERE id = {AN_ORDER}"),
    ("nothing_is_orphaned", f"UPDATE {MOVEMENT} SET order_uuid = gen_random_uuid() WHERE kind = 'shipped'"),
    ("every_order_was_placed_once", f"DELETE FROM {EVENT} WHERE kind = 'placed'"),
    ("status_is_that_of_the_last_event", f"DELETE FROM {EVENT} WHERE new_status = 'cancelled'"),
    ("every_move_is_legal", f"UPDATE {EVENT} SET old_status = 'cancelled' WHERE kind = 'shipped'"),
    ("every_move_is_legal", f"UPDATE {EVENT} SET kind = 'shipped' WHERE kind = 'cancelled'"),
    ("cancelled_means_every_unit", f"UPDATE {ITEM} SET cancelled_quantity = quantity"),
    ("shipped_means_an_event", f"DELETE FROM {EVENT} WHERE kind = 'shipped'"),
    (
        "cancelled_units_come_back_when_the_event_says_so",
        f"UPDATE {MOVEMENT} SET available_change = 2 WHERE kind = 'cancelled' AND available_change = 0",
    ),
    ("every_cancelled_unit_has_its_event", f"UPDATE {ITEM} SET cancelled_quantity = cancelled_quantity + 1"),
    ("every_cancelled_unit_has_its_event", f"DELETE FROM {EVENT} WHERE kind = 'items_cancelled'"),
]

MISSING_GUARDS = [
    f"ALTER TABLE {STOCK} ADD CONSTRAINT late CHECK (available >= 0) NOT VALID",
    f"ALTER TABLE {STOCK} DROP CONSTRAINT stock_available_not_negative",
    f"ALTER TABLE {ORDER} DROP CONSTRAINT order_key_used_once",
    "DROP INDEX movement_taken_once",
    f"ALTER TABLE {EVENT} DISABLE TRIGGER append_only",
    f"DROP TRIGGER append_only ON {MOVEMENT}",
    f"DROP TRIGGER append_only ON {CHANGE}",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
]


def run_a_shop() -> None:
    """Orders in every state that an order can be in, and every kind of movement."""
    lamp, ink = ProductFactory(stock=100), ProductFactory(stock=100)
    for price in ("18.00", "19.99"):
        update_product(lamp.pk, {"price": price}, cause=TEST)
    placed({lamp: 2})
    placed({lamp: 1, ink: 1}, ship_to=ADDRESS, key="k-1", fingerprint="f")
    ship_order(placed({lamp: 3, ink: 3}, ship_to=ADDRESS).pk, done_by="staff:1")
    placed({ink: 1}, hold=timedelta(hours=1))
    complete_order(placed({ink: 1}, hold=timedelta(hours=1)).pk, done_by="staff:1")
    cancel_order(placed({lamp: 2}, hold=timedelta(hours=1)).pk, done_by="staff:1", reason="no money")
    cancel_order(placed({lamp: 5}).pk, done_by="staff:1", quantities={lamp.pk: 2})
    cancel_order(placed({lamp: 5}, ship_to=ADDRESS).pk, done_by="staff:1", quantities={lamp.pk: 2}, restock=False)
    receive_stock(lamp.pk, 7, cause=TEST)
    adjust_stock(ink.pk, -1, cause=TEST)
    count_stock(ink.pk, 90, cause=TEST)


CONSTRAINTS_THAT_WOULD_STOP_IT = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
     WHERE contype IN ('c', 'u') AND conrelid::regclass::text ~ '^(catalog|orders)_'
"""


def plant(fault: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(CONSTRAINTS_THAT_WOULD_STOP_IT)
        for [drop] in cursor.fetchall():
            cursor.execute(drop)
        cursor.execute("SET LOCAL session_replication_role = replica")  # no triggers: no foreign keys, no append-only
        cursor.execute(fault)


@pytest.mark.django_db
def test_finds_nothing_in_good_books():
    run_a_shop()

    assert list(find_faults()) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("invariant", "fault"), FAULTS)
def test_finds_a_planted_fault(invariant, fault):
    run_a_shop()

    plant(fault)

    assert invariant in {found.invariant for found in find_faults()}


def test_every_invariant_has_a_fault_that_shows_it():
    assert {invariant for invariant, _ in FAULTS} | {"the_schema_still_guards"} == set(INVARIANTS)


@pytest.mark.django_db
@pytest.mark.parametrize("loss", MISSING_GUARDS)
def test_finds_that_the_database_no_longer_guards_itself(loss):
    run_a_shop()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(loss)

    assert {found.invariant for found in find_faults()} == {"the_schema_still_guards"}


def test_the_guards_asked_for_are_those_that_the_models_declare():
    models = [*apps.get_app_config("catalog").get_models(), *apps.get_app_config("orders").get_models()]
    declared = {constraint.name for model in models for constraint in model._meta.constraints}

    assert set(re.findall(r"'(\w+_\w+)'", INVARIANTS["the_schema_still_guards"])) - TABLES - {"append_only"} == declared


@pytest.mark.django_db(transaction=True)
def test_names_the_offending_row():
    order = placed({ProductFactory(): 1})
    Order.objects.update(total_price=100)

    assert check_books() == [
        Fault("total_is_the_sum_of_its_lines", f"order {order.pk}", "total 100.00, lines 19.99"),
    ]


@pytest.mark.django_db(transaction=True)
def test_the_command_says_whether_they_balance(capsys):
    order = placed({ProductFactory(): 1})
    capsys.readouterr()

    call_command("check_books")
    assert capsys.readouterr().out == f"The books balance: {len(INVARIANTS)} invariants hold.\n"

    Order.objects.update(total_price=100)
    with pytest.raises(CommandError, match="do not balance: 1 rows"):
        call_command("check_books")
    assert f"order {order.pk}: total 100.00" in capsys.readouterr().err


@pytest.mark.django_db(transaction=True)
def test_reads_one_snapshot_while_orders_are_placed():
    lamp = ProductFactory(stock=100)
    pause = Pause("orders_orderitem item JOIN")

    def check():
        with pause.on_this_connection():
            return check_books()

    thread, faults = in_thread(check)
    assert pause.reached.wait(timeout=10)
    place({lamp: 1})
    pause.let_go.set()
    thread.join()

    assert faults == [[]]


@pytest.mark.django_db(transaction=True)
def test_takes_longer_than_a_limit_that_the_role_has_behind_a_pooler(monkeypatch):
    monkeypatch.setitem(INVARIANTS, "slow", "SELECT 'slow', pg_sleep(0.3)::text")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '100ms'")

    assert check_books() == [Fault("slow", "slow", "")]
