"""Imports at the same time as each other, and as everybody else."""

from decimal import Decimal

import pytest

from catalog.errors import ImportNotOpen, ImportOutdated
from catalog.models import Product, ProductGroup, ProductImport
from catalog.services import apply_import, undo_import, update_product
from orders.books import check_books
from tests.factories import TEST, ProductFactory, available, place
from tests.imports import BY, fresh, imported, previewed
from tests.races import Pause, in_thread, race

pytestmark = pytest.mark.django_db(transaction=True)


def kinds(outcomes: list) -> list[type]:
    return sorted((type(outcome) for outcome in outcomes), key=lambda kind: kind.__name__)


def applying(shown: ProductImport):
    return lambda: apply_import(shown.pk, done_by=BY)


def test_two_clicks_apply_once():
    shown = previewed("sku,name,price,stock\nA,Lamp,10,7\n")

    outcomes = race([applying(shown)] * 4)

    assert kinds(outcomes) == [ImportNotOpen] * 3 + [ProductImport]
    assert available(Product.objects.get()) == 7


def test_two_clicks_undo_once():
    done = imported("sku,name,price,stock\nA,Lamp,10,7\n")

    outcomes = race([lambda: undo_import(done.pk, done_by=BY)] * 4)

    assert kinds(outcomes) == [ImportNotOpen] * 3 + [ProductImport]
    assert check_books() == []


def test_two_files_with_the_same_new_products_in_opposite_order_make_them_once():
    lines = [f"{name},Thing,10,7\n" for name in "ABCDEFGHIJ"]
    one = previewed("sku,name,price,stock\n" + "".join(lines))
    other = previewed("sku,name,price,stock\n" + "".join(reversed(lines)))

    outcomes = race([applying(one), applying(other)])

    assert kinds(outcomes) == [ImportOutdated, ProductImport]
    assert (Product.objects.count(), check_books()) == (10, [])


def test_two_price_lists_in_opposite_order_wait_for_each_other():
    products = [ProductFactory(sku=name) for name in "ABCDEFGHIJ"]
    lines = [f"{product.sku},{{price}}\n" for product in products]
    one = previewed("sku,price\n" + "".join(lines).replace("{price}", "1"))
    other = previewed("sku,price\n" + "".join(reversed(lines)).replace("{price}", "2"))

    outcomes = race([applying(one), applying(other)])

    assert kinds(outcomes) == [ImportOutdated, ProductImport]
    assert len({fresh(product).price for product in products}) == 1


def paused_import(pause: Pause, file: str = "sku,price\nLAMP,12\n"):
    """An import, of a new price, that stops before the statement that the pause names."""
    shown = previewed(file)

    def apply():
        with pause.on_this_connection():
            return apply_import(shown.pk, done_by=BY)

    thread, outcomes = in_thread(apply)
    assert pause.reached.wait(timeout=10)
    return thread, outcomes


def test_who_changes_a_product_meanwhile_waits_and_loses_nothing():
    lamp = ProductFactory(sku="LAMP", price=Decimal("10"))
    pause = Pause("UPDATE catalog_product")
    importing, imported_by_it = paused_import(pause)
    changing, changed = in_thread(lambda: update_product(lamp.pk, {"price": Decimal("13")}, cause=TEST))

    changing.join(timeout=0.3)
    assert changing.is_alive()
    pause.let_go.set()
    importing.join()
    changing.join()

    assert (kinds(imported_by_it), changed) == ([ProductImport], [None])
    assert (fresh(lamp).price, fresh(lamp).version) == (Decimal("13.00"), 3)


def test_without_the_lock_the_import_would_only_be_stopped_by_the_version(monkeypatch):
    """What the lock in the test above is for: nobody is to meet the wall behind it."""
    monkeypatch.setattr("catalog.models.StockQuerySet.locked", lambda stocks, ids: stocks.filter(pk__in=list(ids)))
    lamp = ProductFactory(sku="LAMP", price=Decimal("10"))
    pause = Pause("UPDATE catalog_product")
    importing, imported_by_it = paused_import(pause)

    update_product(lamp.pk, {"price": Decimal("13")}, cause=TEST)
    pause.let_go.set()
    importing.join()

    assert kinds(imported_by_it) == [AssertionError]
    assert fresh(lamp).price == Decimal("13.00")


@pytest.mark.parametrize(
    ("change", "outcome", "price"),
    [({"name": "Lantern"}, ProductImport, Decimal("12.00")), ({"price": "13"}, ImportOutdated, Decimal("13.00"))],
)
def test_who_changes_a_product_between_the_look_and_the_lock_loses_nothing(change, outcome, price):
    lamp = ProductFactory(sku="LAMP", price=Decimal("10"))
    pause = Pause("FOR NO KEY UPDATE")
    importing, imported_by_it = paused_import(pause)

    update_product(lamp.pk, change, cause=TEST)
    pause.let_go.set()
    importing.join()

    assert kinds(imported_by_it) == [outcome]
    assert (fresh(lamp).name, fresh(lamp).price) == (change.get("name", lamp.name), price)
    assert check_books() == []


def test_who_retitles_a_group_between_the_look_and_the_lock_loses_nothing():
    header = "sku,name,price,handle,title,option1 name,option1 value\n"
    imported(f"{header}A,Shirt S,10,shirt,Shirt,Size,S\n")
    pause = Pause("FOR NO KEY UPDATE")
    importing, imported_by_it = paused_import(pause, f"{header}A,Shirt S,10,shirt,Blouse,Size,S\n")

    imported(f"{header}A,Shirt S,10,shirt,Tunic,Size,S\n")
    pause.let_go.set()
    importing.join()

    assert kinds(imported_by_it) == [ImportOutdated]
    assert ProductGroup.objects.get().title == "Tunic"


def test_orders_go_on_while_stock_is_taken_back():
    done = imported("sku,name,price,stock\nINK,Ink,5,40\n")
    ink = Product.objects.get()

    outcomes = race([lambda: undo_import(done.pk, done_by=BY), *[lambda: place({ink: 1})] * 11])

    sold = sum(type(outcome).__name__ == "Placed" for outcome in outcomes)
    report = outcomes[0].report
    assert available(ink) == 0
    assert report == (
        [f"Line 2: of 40 units of Ink, {sold} are sold or gone since; {40 - sold} were taken back."] if sold else []
    )
    assert check_books() == []
