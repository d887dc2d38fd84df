"""Files become products: previewed, then applied as they were shown, or not at all."""

from decimal import Decimal

import pytest

from catalog.errors import ImportHasErrors, ImportNotOpen, ImportOutdated
from catalog.importing.previewing import preview_again
from catalog.models import ImportRow, Product, ProductChange, ProductGroup, ProductImport, StockMovement
from catalog.services import adjust_stock, apply_import, update_product
from orders.books import check_books
from tests.factories import ADDRESS, TEST, ProductFactory, available, ledger, placed
from tests.imports import BY, SHOPIFY, fresh, imported, previewed, rows

pytestmark = pytest.mark.django_db(transaction=True)


def counts(product_import: ProductImport) -> dict[str, int]:
    return {kind: count for kind, count in product_import.counts.items() if count}


def test_a_price_list_changes_prices_and_nothing_else():
    lamp = ProductFactory(sku="LAMP", name="Lamp", price=Decimal("10"), stock=4)
    ink = ProductFactory(sku="INK", price=Decimal("5"))

    done = imported("sku;price\nLAMP;12,50\nINK;5,00\n")

    assert counts(done) == {"updated": 1, "unchanged": 1}
    now = fresh(lamp)
    assert (now.name, now.price, now.version, available(lamp)) == ("Lamp", Decimal("12.50"), 2, 4)
    assert now.updated_at > lamp.updated_at
    assert (fresh(ink).price, fresh(ink).version) == (Decimal("5.00"), 1)


def test_the_preview_tells_old_and_new_and_changes_nothing():
    lamp = ProductFactory(sku="LAMP", price=Decimal("10"))

    shown = previewed("sku,price,on sale\nLAMP,12.50,true\n")

    row = shown.rows.get()
    assert (row.kind, row.label, row.before, row.values["price"]) == ("updated", lamp.name, {"price": "10.00"}, "12.50")
    assert (shown.state, fresh(lamp).price) == ("previewed", Decimal("10.00"))


def test_new_products_come_with_their_opening_stock():
    done = imported("sku,name,price,stock,description\nA,Lamp,10,7,Warm\nB,Ink,5,,\n")

    lamp, ink = Product.objects.order_by("sku")
    assert counts(done) == {"created": 2}
    assert (lamp.name, lamp.description, lamp.price, lamp.is_active, lamp.version) == (
        "Lamp",
        "Warm",
        Decimal("10.00"),
        True,
        1,
    )
    assert (ledger(lamp), ledger(ink)) == ([("opening", 7, 0, 7)], [])
    movement = StockMovement.objects.get()
    assert (movement.done_by, movement.note) == (BY, f"Import {done.pk}: products.csv")
    assert check_books() == []


def test_stock_in_a_file_is_for_new_products_only():
    lamp = ProductFactory(sku="LAMP", name="Lamp", price=Decimal("10"), stock=4)

    assert counts(previewed("sku,name,price,stock\nLAMP,Lamp,10,99\n")) == {"unchanged": 1}
    assert available(lamp) == 4


def test_an_empty_cell_says_nothing():
    ProductFactory(sku="LAMP", description="Warm", price=Decimal("10"))

    assert counts(previewed("sku,description,price,low stock at\nLAMP,,,\n")) == {"unchanged": 1}


def test_variants_of_shopify_share_a_group():
    imported(SHOPIFY)

    small, medium, mug = Product.objects.select_related("group").order_by("-group__handle", "price")
    assert small.group == medium.group == ProductGroup.objects.get(handle="shirt", title="Shirt")
    assert (small.name, small.options, available(small)) == (
        "Shirt - S / Blue",
        [["Size", "S"], ["Colour", "Blue"]],
        3,
    )
    assert (medium.name, medium.price, available(medium)) == ("Shirt - M / Blue", Decimal("21.50"), 0)
    assert (mug.name, mug.options, mug.is_active, available(mug)) == ("Mug", [], False, 7)


def test_stock_below_zero_is_said_to_be_none():
    rows = previewed(SHOPIFY).rows.order_by("line")

    assert [row.message for row in rows] == ["", "stock below zero is taken for none", ""]


def test_the_same_file_again_changes_nothing():
    imported(SHOPIFY)

    assert counts(previewed(SHOPIFY)) == {"unchanged": 3}


def test_a_variant_is_found_by_handle_and_options_and_may_get_its_sku():
    imported(SHOPIFY)

    imported("Handle,Option1 Value,Option2 Value,Variant SKU,Variant Price\nshirt,M,Blue,SHIRT-M,22\n")

    medium = Product.objects.get(sku="SHIRT-M")
    assert (medium.name, medium.price) == ("Shirt - M / Blue", Decimal("22.00"))
    assert Product.objects.count() == 3


def test_a_product_is_meant_once_be_it_by_its_sku_or_by_its_options():
    imported("sku,name,handle,option1 name,option1 value,price\nOLD,Shirt - S,shirt,Size,S,20\n")

    shown = previewed("sku,handle,option1 value,price\nOLD,,,7\nNEW,shirt,S,8\n")

    assert rows(shown) == [(2, "updated", ""), (3, "refused", "line 2 means the same product")]


def test_a_line_without_a_title_leaves_the_one_that_another_line_gives_its_group():
    header = "sku,name,price,handle,title,option1 name,option1 value\n"
    imported(f"{header}A,Shirt S,10,shirt,Shirt,Size,S\nB,Shirt M,10,shirt,Shirt,Size,M\n")

    imported(f"{header}A,Shirt S,10,shirt,Blouse,Size,S\nB,Shirt M,12,shirt,,Size,M\n")

    assert ProductGroup.objects.get().title == "Blouse"


def test_a_new_title_is_one_of_the_group_and_of_its_variants():
    imported(SHOPIFY)

    imported(SHOPIFY.replace("Shirt,", "Blouse,"))

    assert ProductGroup.objects.get(handle="shirt").title == "Blouse"
    assert Product.objects.filter(name__startswith="Blouse - ").count() == 2


ERRORS = "sku,name,price\nA,Lamp,10\nA,Lamp,11\nB,,3\nC,Ink,NaN\n,Pen,1\n"


def test_refuses_all_rows_when_any_has_an_error():
    shown = previewed(ERRORS)

    with pytest.raises(ImportHasErrors):
        apply_import(shown.pk, done_by=BY)

    assert rows(shown) == [
        (2, "created", ""),
        (3, "refused", "line 2 means the same product"),
        (4, "refused", "the shop has no such product, and a new one needs a name"),
        (5, "refused", "price: write a number such as 19.99"),
        (6, "refused", "no sku tells which product is meant"),
    ]
    assert not Product.objects.exists()
    assert ProductImport.objects.get().state == "previewed"


def test_imports_the_good_rows_only_when_asked_to():
    imported(ERRORS, good_rows_only=True)

    assert list(Product.objects.values_list("sku", "price")) == [("A", Decimal("10.00"))]


def test_refuses_a_variant_that_another_product_is():
    imported(SHOPIFY)
    ProductFactory(sku="OTHER")
    taken = Product.objects.get(name="Mug").sku

    shown = previewed("sku,handle,price\nOTHER,mug,3\n")

    assert rows(shown) == [(2, "refused", f"this variant of mug is {taken}")]


def test_shows_again_what_changed_since_the_preview():
    lamp, ink = ProductFactory(sku="LAMP", price=Decimal("10")), ProductFactory(sku="INK", price=Decimal("5"))
    shown = previewed("sku,price\nLAMP,12\nINK,6\n")
    update_product(lamp.pk, {"price": Decimal("11")}, cause=TEST)

    with pytest.raises(ImportOutdated) as refusal:
        apply_import(shown.pk, done_by=BY)

    assert refusal.value.lines == [2]
    assert (fresh(lamp).price, fresh(ink).price) == (Decimal("11.00"), Decimal("5.00"))
    again = preview_again(shown, done_by=BY)
    assert rows(again) == [(2, "updated", "Changed since you looked."), (3, "updated", "")]
    apply_import(again.pk, done_by=BY)
    assert (fresh(lamp).price, fresh(ink).price) == (Decimal("12.00"), Decimal("6.00"))


def test_a_change_of_another_field_is_no_reason_to_ask_again():
    lamp = ProductFactory(sku="LAMP", price=Decimal("10"))
    shown = previewed("sku,price\nLAMP,12\n")
    update_product(lamp.pk, {"name": "Reading lamp"}, cause=TEST)

    apply_import(shown.pk, done_by=BY)

    assert (fresh(lamp).name, fresh(lamp).price) == ("Reading lamp", Decimal("12.00"))


def test_a_product_that_somebody_else_made_meanwhile_is_not_made_twice():
    shown = previewed("sku,name,price\nLAMP,Lamp,12\n")
    lamp = ProductFactory(sku="LAMP", price=Decimal("10"))

    with pytest.raises(ImportOutdated):
        apply_import(shown.pk, done_by=BY)

    assert Product.objects.get() == lamp
    assert preview_again(shown, done_by=BY).rows.get().before == {"name": lamp.name, "price": "10.00"}


def test_an_import_is_applied_once():
    shown = previewed("sku,name,price\nLAMP,Lamp,12\n")
    apply_import(shown.pk, done_by=BY)

    with pytest.raises(ImportNotOpen, match="applied already"):
        apply_import(shown.pk, done_by=BY)

    assert Product.objects.count() == 1


COUNT = "sku,on hand (exported),on hand (new)\nLAMP,10,8\nINK,10,\nPEN,10,12\n"


def test_counts_what_an_inventory_file_says():
    lamp, ink, pen = (ProductFactory(sku=sku, stock=10) for sku in ("LAMP", "INK", "PEN"))
    placed({lamp: 3}, ship_to=ADDRESS)

    imported(COUNT)

    assert ledger(lamp)[-1] == ("counted", -2, 0, 5)
    assert ledger(pen)[-1] == ("counted", 2, 0, 12)
    assert ledger(ink) == [("opening", 10, 0, 10)]
    assert check_books() == []


def test_refuses_counts_of_what_moved_since_the_export():
    lamp, _, pen = (ProductFactory(sku=sku, stock=10) for sku in ("LAMP", "INK", "PEN"))
    adjust_stock(lamp.pk, -1, cause=TEST)
    placed({pen: 5}, ship_to=ADDRESS)

    shown = previewed(COUNT + "GONE,1,2\n")

    assert rows(shown) == [
        (2, "refused", "moved since: 10 when it was exported, 9 now"),
        (3, "unchanged", ""),
        (4, "counted", "+2 units"),
        (5, "refused", "no product has this sku"),
    ]


def test_refuses_a_count_below_what_is_sold_and_waits():
    lamp = ProductFactory(sku="LAMP", stock=10)
    placed({lamp: 4}, ship_to=ADDRESS)

    [row] = rows(previewed("sku,on hand (exported),on hand (new)\nLAMP,10,3\n"))

    assert row == (2, "refused", "on hand (new): 4 units are sold or held, so fewer cannot be on the shelf")


def test_stock_that_moves_after_the_preview_is_not_counted_over():
    lamp = ProductFactory(sku="LAMP", stock=10)
    shown = previewed("sku,on hand (exported),on hand (new)\nLAMP,10,8\n")
    placed({lamp: 1})

    with pytest.raises(ImportOutdated):
        apply_import(shown.pk, done_by=BY)

    assert available(lamp) == 9


def test_previews_that_nobody_applied_go_after_a_day():
    old = previewed("sku,name,price\nLAMP,Lamp,12\n")
    ProductImport.objects.filter(pk=old.pk).update(created_at="2020-01-01T00:00Z")

    new = previewed("sku,name,price\nLAMP,Lamp,12\n")

    assert list(ProductImport.objects.all()) == [new]
    assert ImportRow.objects.count() == 1


def test_thousands_of_rows_take_few_statements(django_assert_max_num_queries):
    text = "sku,name,price,stock\n" + "".join(f"S{n},Thing {n},{n + 1},3\n" for n in range(10_000))
    with django_assert_max_num_queries(20):
        shown = previewed(text)
    with django_assert_max_num_queries(40):
        apply_import(shown.pk, done_by=BY)
    assert Product.objects.count() == 10_000

    shown = previewed(text.replace(",Thing ", ",New thing "))
    with django_assert_max_num_queries(30):
        apply_import(shown.pk, done_by=BY)
    assert Product.objects.filter(name__startswith="New thing ", version=2).count() == 10_000
    assert check_books() == []


def test_the_history_has_what_each_column_was_and_became():
    imported("sku,name,price,description\nLAMP,Lamp,10,Warm\n")
    imported(
        "sku,name,price,description,picture url,on sale,low stock at,handle,title,option1 name,option1 value\n"
        "LAMP,Reading lamp,12.5,Warm,https://example.com/l.jpg,no,5,lamp,Lamp,Watts,7\n"
    )

    change = ProductChange.objects.get(kind="changed")
    group = ProductGroup.objects.get()
    assert change.changes == {
        "name": ["Lamp", "Reading lamp"],
        "price": ["10.00", "12.50"],
        "image_url": ["", "https://example.com/l.jpg"],
        "is_active": [True, False],
        "low_stock_at": [None, 5],
        "group_id": [None, group.pk],
        "options": [[], [["Watts", "7"]]],
    }
    assert (change.version, change.done_by, change.note) == (
        2,
        BY,
        f"Import {ProductImport.objects.last().pk}: products.csv",
    )
