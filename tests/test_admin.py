"""Staff at work: what they see, what they may do, and that the books notice everything they do."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from catalog.admin import ProductAdmin
from catalog.models import Product, Stock
from catalog.services import update_product
from catalog.services.stock import lock
from orders.models import Order
from tests.factories import ADDRESS, TEST, ProductFactory, available, ledger, place, placed
from tests.races import Pause, in_thread, race

PRODUCTS, ORDERS = reverse("admin:catalog_product_changelist"), reverse("admin:orders_order_changelist")
MOVEMENTS = reverse("admin:catalog_stockmovement_changelist")
FORM = {
    "name": "Lamp",
    "sku": "LAMP",
    "price": "19.99",
    "description": "Warm",
    "image_url": "",
    "low_stock_at": "",
    "seen_version": "1",
}


def page_of(product) -> str:
    return reverse("admin:catalog_product_change", args=[product.pk])


def stock_page_of(product) -> str:
    return reverse("admin:catalog_product_stock", args=[product.pk])


def key_in(page) -> str:
    return re.search(r'name="key" value="([^"]+)"', page.content.decode())[1]


def messages_of(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def act(staff, page, action, *rows, **more):
    data = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    return staff.post(page, data, follow=True)


@pytest.fixture
def sold() -> Order:
    return placed({ProductFactory(name="Lamp"): 2}, ship_to=ADDRESS, customer={"email": "ada@example.com"})


@pytest.mark.parametrize("model", ["catalog_product", "catalog_stockmovement", "orders_order"])
def test_every_list_and_page_opens(staff, sold, model):
    rows = {"catalog_product": Product.objects.get(), "orders_order": sold}
    row = rows.get(model) or Product.objects.get().movements.first()

    assert staff.get(reverse(f"admin:{model}_changelist"), {"q": "Lamp"}).status_code == 200
    assert staff.get(reverse(f"admin:{model}_change", args=[row.pk])).status_code == 200


def test_a_stranger_is_sent_to_the_login(api, sold):
    for page in (PRODUCTS, ORDERS, stock_page_of(Product.objects.get())):
        assert api.get(page)["Location"].startswith("/admin/login/")


def test_a_product_is_created_with_its_opening_stock(staff):
    answer = staff.post(reverse("admin:catalog_product_add"), FORM | {"is_active": "on", "stock": "7"}, follow=True)

    product = Product.objects.get()
    assert answer.status_code == 200
    assert (product.name, product.sku, str(product.price)) == ("Lamp", "LAMP", "19.99")
    assert ledger(product) == [("opening", 7, 0, 7)]
    assert product.movements.get().done_by == f"staff:{User.objects.get().pk}"


def test_a_product_is_edited_without_touching_its_stock(staff):
    lamp = ProductFactory(name="Lamp", sku="LAMP")

    staff.post(page_of(lamp), FORM | {"price": "21.00", "is_active": "on", "available": "99", "stock": "99"})

    lamp.refresh_from_db()
    assert (str(lamp.price), lamp.version, available(lamp)) == ("21.00", 2, 10)


def edit_while_seven_are_sold(staff, lamp, *, pause: Pause) -> None:
    """The form has read the product; before it writes, an order takes seven units."""

    def edit():
        with pause.on_this_connection():
            return staff.post(page_of(lamp), FORM | {"name": "Lantern", "is_active": "on"})

    editing, answers = in_thread(edit)
    assert pause.reached.wait(timeout=10)
    place({lamp: 7})
    pause.let_go.set()
    editing.join()
    assert answers[0].status_code == 302


def test_an_edit_while_the_product_is_sold_loses_no_stock(staff):
    lamp = ProductFactory(name="Lamp", sku="LAMP")

    edit_while_seven_are_sold(staff, lamp, pause=Pause("FOR NO KEY UPDATE"))

    assert (Product.objects.get().name, available(lamp)) == ("Lantern", 3)


def test_negative_control_an_edit_that_saves_what_it_read_loses_the_sale(staff, monkeypatch):
    lamp = ProductFactory(name="Lamp", sku="LAMP")

    def save_everything(self, request, obj, form, change):
        stock = Stock.objects.get(pk=obj.pk)
        obj.save()
        stock.save()

    monkeypatch.setattr(ProductAdmin, "save_model", save_everything)
    edit_while_seven_are_sold(staff, lamp, pause=Pause('UPDATE "catalog_product"'))

    assert available(lamp) == 10


def test_a_form_that_another_edit_overtook_changes_nothing(staff):
    lamp = ProductFactory(name="Lamp", sku="LAMP")
    page = staff.get(page_of(lamp)).content.decode()
    assert 'name="seen_version" value="1"' in page
    update_product(lamp.pk, {"price": "49.00", "is_active": False}, cause=TEST)

    answer = staff.post(page_of(lamp), FORM | {"name": "Lantern", "is_active": "on"}, follow=True)

    assert "Nothing of yours was saved" in answer.content.decode()
    lamp.refresh_from_db()
    assert (lamp.name, str(lamp.price), lamp.is_active) == ("Lamp", "49.00", False)


def test_an_sku_that_is_taken_is_refused(staff):
    ProductFactory(sku="INK")
    lamp = ProductFactory(name="Lamp", sku="LAMP")

    answer = staff.post(page_of(lamp), FORM | {"sku": "INK", "is_active": "on"})

    assert "Another product has this SKU." in answer.content.decode()
    assert Product.objects.get(pk=lamp.pk).sku == "LAMP"


def test_an_sku_that_is_taken_in_this_very_moment_is_refused_too(staff):
    lamp = ProductFactory(name="Lamp", sku="LAMP")
    pause = Pause('UPDATE "catalog_product"')

    def edit():
        with pause.on_this_connection():
            return staff.post(page_of(lamp), FORM | {"sku": "INK", "is_active": "on"}, follow=True)

    editing, answers = in_thread(edit)
    assert pause.reached.wait(timeout=10)
    ProductFactory(sku="INK")
    pause.let_go.set()
    editing.join()

    assert messages_of(answers[0]) == ["Another product has this SKU."]


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "1.005", "99999999999"])
def test_a_bad_price_is_refused(staff, price):
    lamp = ProductFactory(name="Lamp", sku="LAMP")

    assert staff.post(page_of(lamp), FORM | {"price": price, "is_active": "on"}).status_code == 200
    assert Product.objects.get().version == 1


@pytest.mark.parametrize(
    ("move", "row"),
    [
        ({"kind": "received", "quantity": "5"}, ("received", 5, 0, 15)),
        ({"kind": "adjusted", "quantity": "-3", "note": "broken"}, ("adjusted", -3, 0, 7)),
        ({"kind": "counted", "quantity": "8"}, ("counted", -2, 0, 8)),
    ],
)
def test_stock_is_moved_with_a_form_that_counts_once(staff, move, row):
    lamp = ProductFactory()
    form = move | {"key": key_in(staff.get(stock_page_of(lamp)))}

    answers = race([lambda: staff_like(staff).post(stock_page_of(lamp), form)] * 2)

    assert {answer.status_code for answer in answers} == {302}
    assert ledger(lamp)[1:] == [row]


def staff_like(staff) -> Client:
    """Another tab of the same browser."""
    tab = Client()
    tab.cookies = staff.cookies
    return tab


BAD_MOVES = [
    {"kind": "received", "quantity": "0"},
    {"kind": "received", "quantity": "-1"},
    {"kind": "received", "quantity": "1000000001"},
    {"kind": "received", "quantity": "x"},
    {"kind": "counted", "quantity": "-1"},
    {"kind": "adjusted", "quantity": "0", "note": "why"},
    {"kind": "adjusted", "quantity": "-1"},
    {"kind": "adjusted", "quantity": "-11", "note": "more than there are"},
    {"kind": "ordered", "quantity": "1"},
    {"kind": "received", "quantity": "1", "key": "no uuid"},
    {},
]


@pytest.mark.parametrize("move", BAD_MOVES)
def test_a_bad_move_of_stock_is_refused_and_shown(staff, move):
    lamp = ProductFactory()

    answer = staff.post(stock_page_of(lamp), {"key": key_in(staff.get(stock_page_of(lamp)))} | move)

    told = [*messages_of(answer), *(error for errors in answer.context["form"].errors.values() for error in errors)]
    assert answer.status_code == 200
    assert told
    assert all(escape(sentence) in answer.content.decode() for sentence in told)
    assert len(ledger(lamp)) == 1


def test_a_count_that_is_corrected_under_a_spent_key_is_refused_and_gets_a_new_one(staff):
    lamp = ProductFactory()
    form = {"kind": "counted", "quantity": "8", "key": key_in(staff.get(stock_page_of(lamp)))}
    staff.post(stock_page_of(lamp), form)

    again = staff.post(stock_page_of(lamp), form | {"quantity": "3"})

    assert "used for a different request" in messages_of(again)[-1]
    assert available(lamp) == 8
    staff.post(stock_page_of(lamp), form | {"quantity": "3", "key": key_in(again)})
    assert available(lamp) == 3


def test_a_busy_database_is_told_and_no_page_of_faults(staff, sold):
    lamp = Product.objects.get()
    form = {"kind": "received", "quantity": "5", "key": key_in(staff.get(stock_page_of(lamp)))}

    with transaction.atomic():
        lock([lamp.pk])
        thread, answers = in_thread(
            lambda: [
                staff_like(staff).post(stock_page_of(lamp), form),
                staff_like(staff).post(reverse("admin:orders_order_ship", args=[sold.pk]), {"version": 1}, follow=True),
            ]
        )
        thread.join()

    for answer in answers[0]:
        assert answer.status_code == 200
        assert "The database is busy." in messages_of(answer)[0]
    assert (available(lamp), Order.objects.get().shipped_at) == (8, None)


def test_a_count_below_what_is_sold_names_the_orders(staff, sold):
    lamp = Product.objects.get()
    form = {"kind": "counted", "quantity": "1", "key": key_in(staff.get(stock_page_of(lamp)))}

    answer = staff.post(stock_page_of(lamp), form)

    assert f"Held by order {sold.uuid} (2)." in messages_of(answer)[0]
    assert len(ledger(lamp)) == 2


def test_products_are_archived_and_never_deleted(staff, sold):
    lamp = Product.objects.get()

    assert "delete_selected" not in staff.get(PRODUCTS).content.decode()
    assert staff.post(reverse("admin:catalog_product_delete", args=[lamp.pk]), {"post": "yes"}).status_code == 403
    act(staff, PRODUCTS, "archive", lamp)
    assert not Product.objects.get().is_active
    act(staff, PRODUCTS, "put_on_sale", lamp)
    assert Product.objects.get().is_active


def test_a_product_that_nothing_happened_to_can_be_deleted(staff):
    mistake = ProductFactory(stock=0)

    answer = staff.post(reverse("admin:catalog_product_delete", args=[mistake.pk]), {"post": "yes"}, follow=True)

    assert answer.status_code == 200
    assert not Product.objects.exists()


def test_orders_and_movements_are_read_only(staff, sold):
    movement = Product.objects.get().movements.first()
    pages = [
        reverse("admin:orders_order_delete", args=[sold.pk]),
        reverse("admin:orders_order_change", args=[sold.pk]),
        reverse("admin:catalog_stockmovement_add"),
        reverse("admin:catalog_stockmovement_delete", args=[movement.pk]),
        reverse("admin:catalog_stockmovement_change", args=[movement.pk]),
    ]

    assert {staff.post(page, {"post": "yes"}).status_code for page in pages} == {403}


def test_who_may_only_look_moves_nothing(api, sold, django_user_model):
    viewer = django_user_model.objects.create_user("eva", password="a long password", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    api.force_login(viewer)
    lamp = Product.objects.get()

    page = api.get(stock_page_of(lamp))
    assert (page.status_code, "Move stock" in page.content.decode()) == (200, False)
    assert api.post(stock_page_of(lamp), {"kind": "received", "quantity": "5"}).status_code == 403
    act(api, ORDERS, "mark_shipped", sold)
    act(api, PRODUCTS, "archive", lamp)
    assert (Order.objects.get().shipped_at, Product.objects.get().is_active, available(lamp)) == (None, True, 8)


STRANGE = [
    "?q=%00",
    "?id=x",
    "?id=99999999999999999999",
    "?stock__gte=abc",
    "?o=nope",
    "?p=x",
    "?status__exact=%00",
    "?kind__exact=%00",
    "?placed_by__regex=(",
    "?name__regex=(",
]


@pytest.mark.parametrize("query", STRANGE)
@pytest.mark.parametrize("page", [PRODUCTS, ORDERS, MOVEMENTS])
def test_strange_addresses_are_no_fault_of_ours(staff, sold, page, query):
    assert staff.get(page + query).status_code < 500
    assert staff.post(page, {"action": "cancel", "_selected_action": "x"}).status_code < 500


def test_a_bad_form_for_a_new_product_is_shown_again(staff):
    answer = staff.post(reverse("admin:catalog_product_add"), {"_saveasnew": "1"})

    assert (answer.status_code, Product.objects.exists()) == (200, False)


def test_text_of_a_product_is_never_markup(staff):
    lamp = ProductFactory(name="<script>alert(1)</script>", description='"><img src=x onerror=alert(1)>')
    placed({lamp: 1})

    for page in (
        PRODUCTS,
        page_of(lamp),
        stock_page_of(lamp),
        ORDERS,
        reverse("admin:catalog_stockmovement_changelist"),
    ):
        assert "<script>alert" not in staff.get(page).content.decode()


def test_people_see_the_time_of_the_shop(staff, sold, settings):
    settings.SHOP_TIME_ZONE = "Asia/Tokyo"
    Order.objects.update(created_at="2026-01-01T20:00:00Z")

    assert "Jan. 2, 2026, 5 a.m." in staff.get(ORDERS).content.decode()
