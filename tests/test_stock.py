from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.expressions import RawSQL

from catalog.errors import (
    CountBelowCommitted,
    InsufficientStock,
    ProductChanged,
    ProductInUse,
    Shortage,
    SkuTaken,
    UnknownProduct,
)
from catalog.models import Product, Stock, StockMovement
from catalog.services import (
    Cause,
    adjust_stock,
    count_stock,
    delete_product,
    receive_stock,
    stock,
    update_product,
)
from ecommerce.errors import IdempotencyMismatch
from tests.factories import ADDRESS, TEST, ProductFactory, available, committed, ledger, placed
from tests.races import race

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_product_opens_with_its_stock_as_the_first_row_of_its_ledger():
    lamp = ProductFactory(stock=5)

    assert ledger(lamp) == [("opening", 5, 0, 5)]
    assert available(lamp) == 5


def test_a_product_without_stock_has_an_empty_ledger():
    lamp = ProductFactory(stock=0)

    assert ledger(lamp) == []
    assert available(lamp) == 0


def test_an_sku_is_made_where_none_is_given():
    assert len({ProductFactory().sku, ProductFactory().sku}) == 2
    assert Product.objects.filter(sku__regex=r"^P[A-Z2-7]{10}$").count() == 2


def test_an_sku_is_taken_once_however_many_bring_it_at_once():
    outcomes = race([lambda: ProductFactory(sku="LAMP")] * 6)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Product"] + ["SkuTaken"] * 5
    assert Stock.objects.count() == 1


def test_receiving_puts_units_on_sale():
    lamp = ProductFactory(stock=5)

    moved = receive_stock(lamp.pk, 7, cause=Cause(done_by="staff:1", note="delivery 12"))

    assert (moved.done_by, moved.note, moved.available_after) == ("staff:1", "delivery 12", 12)
    assert ledger(lamp) == [("opening", 5, 0, 5), ("received", 7, 0, 12)]


def test_adjusting_removes_at_most_what_is_on_sale():
    lamp = ProductFactory(stock=5)

    adjust_stock(lamp.pk, -2, cause=TEST)
    with pytest.raises(InsufficientStock) as refusal:
        adjust_stock(lamp.pk, -4, cause=TEST)

    assert refusal.value.shortages == [Shortage(lamp, 4, 3)]
    assert ledger(lamp) == [("opening", 5, 0, 5), ("adjusted", -2, 0, 3)]


def test_a_count_is_of_the_shelf_and_leaves_sold_units_sold():
    lamp = ProductFactory(stock=10)
    placed({lamp: 4}, ship_to=ADDRESS)

    count_stock(lamp.pk, 9, cause=TEST)

    assert (available(lamp), committed(lamp)) == (5, 4)
    assert ledger(lamp)[-1] == ("counted", -1, 0, 5)


def test_a_count_that_confirms_the_books_is_written_too():
    lamp = ProductFactory(stock=10)

    count_stock(lamp.pk, 10, cause=TEST)

    assert ledger(lamp)[-1] == ("counted", 0, 0, 10)


def test_a_count_below_what_is_sold_is_refused_with_the_orders_that_hold_it():
    lamp = ProductFactory(stock=10)
    placed({lamp: 1})
    one, two = placed({lamp: 3}, ship_to=ADDRESS), placed({lamp: 2}, ship_to=ADDRESS)

    with pytest.raises(CountBelowCommitted) as refusal:
        count_stock(lamp.pk, 4, cause=TEST)

    assert (refusal.value.committed, refusal.value.holders) == (5, [(one.uuid, 3), (two.uuid, 2)])
    assert (available(lamp), committed(lamp)) == (4, 5)


@pytest.mark.parametrize("move", [receive_stock, adjust_stock, count_stock])
def test_moving_the_stock_of_no_product_is_refused(move):
    with pytest.raises(UnknownProduct):
        move(999_999, 1, cause=TEST)


@pytest.mark.parametrize(("move", "after"), [(receive_stock, 15), (adjust_stock, 15), (count_stock, 5)])
def test_a_key_counts_once(move, after):
    lamp = ProductFactory(stock=10)
    keyed = replace(TEST, key="form-1")

    first, again = move(lamp.pk, 5, cause=keyed), move(lamp.pk, 5, cause=keyed)

    assert first == again
    assert available(lamp) == after


def test_a_key_refuses_another_move():
    lamp = ProductFactory(stock=10)
    keyed = replace(TEST, key="form-1")
    receive_stock(lamp.pk, 5, cause=keyed)

    for another in (lambda: receive_stock(lamp.pk, 6, cause=keyed), lambda: adjust_stock(lamp.pk, 5, cause=keyed)):
        with pytest.raises(IdempotencyMismatch):
            another()

    assert available(lamp) == 15


def test_a_count_is_known_again_after_the_stock_has_moved():
    lamp = ProductFactory(stock=10)
    placed({lamp: 2}, ship_to=ADDRESS)
    keyed = replace(TEST, key="form-1")
    first = count_stock(lamp.pk, 9, cause=keyed)
    placed({lamp: 1})

    assert count_stock(lamp.pk, 9, cause=keyed) == first
    with pytest.raises(IdempotencyMismatch):
        count_stock(lamp.pk, 8, cause=keyed)

    assert (available(lamp), committed(lamp)) == (6, 2)


def test_an_update_writes_the_named_columns_only_and_raises_the_version():
    lamp = ProductFactory(name="Lamp")

    update_product(lamp.pk, {"name": "Lantern"}, cause=TEST)

    lamp.refresh_from_db()
    assert (lamp.name, lamp.description, lamp.version) == ("Lantern", "A thing", 2)
    assert lamp.updated_at > lamp.created_at


def test_an_update_to_a_taken_sku_is_refused_and_undoes_what_went_with_it():
    lamp, ink = ProductFactory(sku="LAMP"), ProductFactory(sku="INK")

    with pytest.raises(SkuTaken), transaction.atomic():
        receive_stock(lamp.pk, 1, cause=TEST)
        update_product(ink.pk, {"sku": "LAMP"}, cause=TEST)

    assert Product.objects.get(pk=ink.pk).sku == "INK"
    assert available(lamp) == 10


def test_an_update_of_a_version_that_is_no_more_is_refused():
    lamp = ProductFactory(name="Lamp")
    update_product(lamp.pk, {"name": "Lantern"}, version=1, cause=TEST)

    with pytest.raises(ProductChanged):
        update_product(lamp.pk, {"name": "Torch"}, version=1, cause=TEST)

    assert Product.objects.values_list("name", "version").get() == ("Lantern", 2)


def test_only_an_untouched_product_can_be_deleted():
    stocked, untouched = ProductFactory(stock=1), ProductFactory(stock=0)

    delete_product(untouched.pk, cause=TEST)
    with pytest.raises(ProductInUse):
        delete_product(stocked.pk, cause=TEST)

    assert list(Product.objects.all()) == [stocked]


@pytest.mark.parametrize("change", [{"available": -1}, {"committed": -1}])
def test_the_database_itself_refuses_a_negative_counter(change):
    lamp = ProductFactory()

    with pytest.raises(IntegrityError, match="not_negative"):
        Stock.objects.filter(pk=lamp.pk).update(**change)


@pytest.mark.parametrize("price", ["0", "-1", "NaN"])
def test_the_database_itself_refuses_a_price_that_is_none(price):
    lamp = ProductFactory()

    with pytest.raises(IntegrityError, match="product_price_in_range"):
        Product.objects.filter(pk=lamp.pk).update(price=RawSQL("%s::numeric", [price]))


def test_the_database_itself_keeps_the_ledger_append_only():
    lamp = ProductFactory()

    with pytest.raises(IntegrityError, match="only ever added"):
        StockMovement.objects.filter(product=lamp).update(note="rewritten")
    with pytest.raises(IntegrityError, match="only ever added"):
        lamp.movements.get().delete()

    assert lamp.movements.get().note == ""


def test_taking_tells_all_that_is_short():
    lamp, ink = ProductFactory(stock=1), ProductFactory(stock=10)

    with pytest.raises(InsufficientStock) as refusal:
        stock.take_stock({lamp.pk: 2, ink.pk: 1}, committed=False, cause=TEST)

    assert [(short.product, short.wanted, short.available) for short in refusal.value.shortages] == [(lamp, 2, 1)]
    assert (available(lamp), available(ink)) == (1, 10)


def test_units_of_what_has_no_stock_are_moved_nowhere():
    lamp = ProductFactory()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM catalog_stock")

    with pytest.raises(IntegrityError, match="available_after"):
        stock.write({lamp.pk: stock.Change(kind=stock.Kind.RECEIVED, available=1)}, cause=TEST)
