"""Every write of a product leaves a row that says who changed what, and the row stays."""

from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction

from catalog.errors import ProductChanged, ProductGone, SkuTaken
from catalog.models import Product, ProductChange
from catalog.services import Cause, ProductEdit, delete_product, remove_product, update_product, update_products
from catalog.services.history import fields_of
from catalog.services.importing import import_products
from orders.books import find_faults
from tests.factories import TEST, ProductFactory
from tests.races import race

MIA = Cause(done_by="staff:3", note="spring sale")


def history(product) -> list[tuple[int, str, dict, str]]:
    """(version, kind, changes, done by), oldest first."""
    rows = ProductChange.objects.filter(product=product.pk).order_by("version")
    return list(rows.values_list("version", "kind", "changes", "done_by"))


@pytest.mark.django_db
def test_a_new_product_begins_with_every_field():
    lamp = ProductFactory(sku="LAMP", name="Lamp", stock=0)

    fields = {
        "sku": [None, "LAMP"],
        "name": [None, "Lamp"],
        "description": [None, "A thing"],
        "price": [None, "19.99"],
        "image_url": [None, ""],
        "is_active": [None, True],
        "low_stock_at": [None, None],
        "group_id": [None, None],
        "options": [None, []],
    }
    assert history(lamp) == [(1, "created", fields, "command:test")]


@pytest.mark.django_db
def test_a_change_has_what_was_and_what_became_of_it():
    lamp = ProductFactory(name="Lamp")

    update_product(lamp.pk, {"price": Decimal("21"), "name": "Lamp", "low_stock_at": 3}, cause=MIA)

    assert history(lamp)[1:] == [(2, "changed", {"price": ["19.99", "21.00"], "low_stock_at": [None, 3]}, "staff:3")]
    assert lamp.changes.get(version=2).note == "spring sale"


@pytest.mark.django_db
def test_what_changes_nothing_leaves_neither_a_version_nor_a_row():
    lamp = ProductFactory(name="Lamp")
    before = Product.objects.get()

    update_product(lamp.pk, {"price": Decimal("19.990"), "name": "Lamp"}, cause=MIA)

    after = Product.objects.get()
    assert (after.version, after.updated_at, len(history(lamp))) == (1, before.updated_at, 1)


@pytest.mark.django_db
def test_a_deletion_outlives_the_product():
    mistake = ProductFactory(sku="OOPS", stock=0)

    delete_product(mistake.pk, cause=MIA)

    version, kind, changes, done_by = history(mistake)[-1]
    assert (version, kind, changes["sku"], done_by) == (2, "deleted", ["OOPS", None], "staff:3")
    assert list(find_faults()) == []


@pytest.mark.django_db
def test_a_removal_that_archives_says_so():
    lamp = ProductFactory()

    assert not remove_product(lamp.pk, cause=MIA)
    assert not remove_product(lamp.pk, cause=MIA)

    assert history(lamp)[1:] == [(2, "changed", {"is_active": [True, False]}, "staff:3")]


@pytest.mark.django_db
def test_products_that_move_in_bring_their_history():
    import_products([Product(id=7, name="Lamp", price=Decimal("5"))], opening=[3], done_by="command:x", note="in")

    lamp = Product.objects.get()
    [(version, kind, changes, done_by)] = history(lamp)
    assert (version, kind, changes["price"], done_by) == (1, "created", [None, "5.00"], "command:x")
    assert changes == {column: [None, value] for column, value in fields_of(lamp).items()}
    assert list(find_faults()) == []


@pytest.mark.django_db(transaction=True)
def test_many_edits_are_all_made_or_none():
    lamp, ink = ProductFactory(sku="LAMP"), ProductFactory(sku="INK")
    edits = [
        ProductEdit(product_id=lamp.pk, changes={"name": "Lantern"}, version=1),
        ProductEdit(product_id=ink.pk, changes={"sku": "LAMP"}, version=1),
    ]

    with pytest.raises(SkuTaken):
        update_products(edits, cause=MIA)

    assert [len(history(product)) for product in (lamp, ink)] == [1, 1]
    assert not Product.objects.filter(name="Lantern").exists()


@pytest.mark.django_db(transaction=True)
def test_edits_of_what_has_changed_meanwhile_name_it():
    lamp, ink = ProductFactory(), ProductFactory()
    update_product(ink.pk, {"name": "Blue ink"}, cause=TEST)

    with pytest.raises(ProductChanged) as refusal:
        update_products(
            [ProductEdit(product_id=p.pk, changes={"price": "5"}, version=1) for p in (ink, lamp)], cause=MIA
        )

    assert refusal.value.products == [ink]
    assert set(Product.objects.values_list("price", flat=True)) == {Decimal("19.99")}


@pytest.mark.django_db(transaction=True)
def test_one_product_gone_stops_every_edit():
    lamp = ProductFactory()

    with pytest.raises(ProductGone):
        update_products([ProductEdit(product_id=pk, changes={"name": "X"}) for pk in (lamp.pk, 999_999)], cause=MIA)

    assert len(history(lamp)) == 1


@pytest.mark.django_db(transaction=True)
def test_rivals_write_versions_without_a_gap_and_each_sees_the_other():
    lamp = ProductFactory(name="0")

    race([lambda n=n: update_product(lamp.pk, {"name": str(n)}, cause=TEST) for n in range(1, 21)], threads=5)

    rows = history(lamp)
    assert [version for version, *_ in rows] == list(range(1, 22))
    steps = [changes["name"] for _, _, changes, _ in rows]
    assert all(before[1] == after[0] for before, after in pairwise(steps))
    assert list(find_faults()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("tampering", ["UPDATE {} SET done_by = 'x'", "DELETE FROM {}"])
def test_nobody_rewrites_the_history(tampering):
    lamp = ProductFactory()

    with pytest.raises(IntegrityError, match="only ever added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(tampering.format("catalog_productchange"))

    assert len(history(lamp)) == 1


@pytest.mark.django_db
def test_the_api_writes_who_did_it(api, settings):
    settings.API_OPEN = "all"
    lamp = ProductFactory()

    api.patch(f"/api/v1/products/{lamp.uuid}", {"price": "5.00"}, content_type="application/json")

    assert history(lamp)[1:] == [(2, "changed", {"price": ["19.99", "5.00"]}, "open")]
