"""A whole import is taken back, except for what others have done since; and that is said."""

from decimal import Decimal

import pytest
from django.db import IntegrityError

from catalog.errors import ImportNotOpen
from catalog.models import ImportRow, ImportRowQuerySet, Product, ProductGroup, ProductImport
from catalog.services import adjust_stock, remove_product, undo_import, update_product
from orders.books import check_books
from tests.factories import TEST, ProductFactory, available, ledger, placed
from tests.imports import BY, SHOPIFY, fresh, imported, previewed

pytestmark = pytest.mark.django_db(transaction=True)


def undone(product_import: ProductImport) -> list[str]:
    return undo_import(product_import.pk, done_by=BY).report


def test_puts_fields_back():
    lamp = ProductFactory(sku="LAMP", name="Lamp", price=Decimal("10"), description="Warm")
    done = imported("sku,name,price,low stock at\nLAMP,Reading lamp,12,5\n")

    assert undone(done) == []

    now = fresh(lamp)
    assert (now.name, now.price, now.low_stock_at, now.version) == ("Lamp", Decimal("10.00"), None, 3)
    assert ProductImport.objects.get().state == "undone"


def test_keeps_what_somebody_changed_since_and_says_so():
    lamp = ProductFactory(sku="LAMP", name="Lamp", price=Decimal("10"))
    done = imported("sku,name,price\nLAMP,Reading lamp,12\n")
    update_product(lamp.pk, {"price": Decimal("13")}, cause=TEST)

    assert undone(done) == ["Line 2: Reading lamp was changed since, kept: price."]

    assert (fresh(lamp).name, fresh(lamp).price) == ("Lamp", Decimal("13.00"))


def test_deletes_what_is_untouched_and_archives_the_others():
    done = imported("sku,name,price,stock\nA,Lamp,10,\nB,Ink,5,7\n")

    assert undone(done) == []

    ink = Product.objects.get()
    assert (ink.sku, ink.is_active) == ("B", False)
    assert ledger(ink) == [("opening", 7, 0, 7), ("adjusted", -7, 0, 0)]
    assert check_books() == []


def test_what_was_sold_meanwhile_stays_sold():
    done = imported("sku,name,price,stock\nB,Ink,5,7\n")
    ink = Product.objects.get()
    order = placed({ink: 3})

    assert undone(done) == ["Line 2: of 7 units of Ink, 3 are sold or gone since; 4 were taken back."]

    assert (available(ink), fresh(ink).is_active) == (0, False)
    assert order.items.get().quantity == 3
    assert check_books() == []


def test_takes_counts_back():
    more, fewer = ProductFactory(sku="MORE", stock=10), ProductFactory(sku="FEWER", stock=10)
    done = imported("sku,on hand (exported),on hand (new)\nMORE,10,15\nFEWER,10,4\n")
    adjust_stock(more.pk, -12, cause=TEST)

    assert undone(done) == [f"Line 2: of 5 units of {more}, 2 are sold or gone since; 3 were taken back."]

    assert (available(more), available(fewer)) == (0, 10)


def test_names_what_is_gone():
    done = imported("sku,name,price\nA,Lamp,10\n")
    remove_product(Product.objects.get().pk, cause=TEST)

    assert undone(done) == ["Line 2: Lamp is gone."]


def test_puts_groups_and_titles_back():
    imported(SHOPIFY)
    lamp = ProductFactory(sku="LAMP")
    done = imported(SHOPIFY.replace("Shirt,", "Blouse,"))
    joined = imported("sku,handle,option1 name,option1 value\nLAMP,shirt,Size,XL\n")
    assert fresh(lamp).group == ProductGroup.objects.get(handle="shirt")

    assert undone(joined) == undone(done) == []

    assert (fresh(lamp).group, fresh(lamp).options) == (None, [])
    assert ProductGroup.objects.get(handle="shirt").title == "Shirt"
    assert Product.objects.filter(name__startswith="Shirt - ").count() == 2


def test_a_group_in_several_batches_is_done_and_undone_as_in_one(monkeypatch):
    monkeypatch.setitem(ImportRowQuerySet.in_batches.__kwdefaults__, "size", 1)
    monkeypatch.setattr("catalog.services.importing.BATCH", 1)
    imported(SHOPIFY)

    done = imported(SHOPIFY.replace("Shirt,", "Blouse,"))
    assert ProductGroup.objects.get(handle="shirt").title == "Blouse"
    assert Product.objects.filter(name__startswith="Blouse - ").count() == 2

    assert undone(done) == []
    assert ProductGroup.objects.get(handle="shirt").title == "Shirt"
    assert Product.objects.filter(name__startswith="Shirt - ").count() == 2


def test_the_same_file_brings_all_of_it_again_with_its_stock():
    undone(imported(SHOPIFY))
    again = imported(SHOPIFY)

    small = Product.objects.get(name="Shirt - S / Blue")
    assert (again.counts["created"], again.counts["updated"]) == (1, 2)
    assert [entry[0] for entry in ledger(small)] == ["opening", "adjusted", "received"]
    assert (small.is_active, available(small)) == (True, 3)
    assert previewed(SHOPIFY).counts["unchanged"] == 3
    assert undone(again) == []
    assert (fresh(small).is_active, available(small)) == (False, 0)
    assert check_books() == []


def test_is_done_once():
    done = imported("sku,name,price,stock\nB,Ink,5,7\n")
    undone(done)

    with pytest.raises(ImportNotOpen, match="undone already"):
        undone(done)

    assert available(Product.objects.get()) == 0


def test_a_preview_cannot_be_undone():
    with pytest.raises(ImportNotOpen, match="previewed already"):
        undone(previewed("sku,name,price\nA,Lamp,10\n"))


def test_nobody_changes_what_undoing_rests_on():
    imported("sku,name,price\nA,Lamp,10\n")

    with pytest.raises(IntegrityError, match="kept as they are"):
        ImportRow.objects.update(before={})
    with pytest.raises(IntegrityError, match="kept as they are"):
        ProductImport.objects.all().delete()


def test_the_history_tells_both_ways():
    lamp = ProductFactory(sku="LAMP", price=Decimal("10"))
    done = imported("sku,price,handle\nLAMP,12,lamps\n")
    undone(done)

    made, imported_change, undone_change = lamp.changes.order_by("version")
    assert check_books() == []

    group = ProductGroup.objects.get().pk
    assert imported_change.changes == {"price": ["10.00", "12.00"], "group_id": [None, group]}
    assert undone_change.changes == {"price": ["12.00", "10.00"], "group_id": [group, None]}
    assert [change.note for change in (imported_change, undone_change)] == [
        f"Import {done.pk}: products.csv",
        f"Undone: Import {done.pk}: products.csv",
    ]
    assert (made.kind, imported_change.done_by) == ("created", BY)
