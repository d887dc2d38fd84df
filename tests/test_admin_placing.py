"""Staff place an order by hand: it is checked first, and placed once at what was shown."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from catalog.services import update_product
from orders.models import Order
from tests.factories import TEST, ProductFactory, available, place
from tests.races import race
from tests.test_admin import messages_of, staff_like

ADD, FOUND = reverse("admin:orders_order_add"), reverse("admin:orders_order_products")
ADA = {"customer_name": "Ada", "customer_email": "ada@example.com", "reference": "R-1"}
THERE = {"name": "Ada", "line1": "1 Main St", "city": "London", "postal_code": "N1", "country": "GB"}


def typed(*lines, **more) -> dict:
    rows = {f"form-{at}-product": product.pk for at, (product, _) in enumerate(lines)}
    rows |= {f"form-{at}-quantity": quantity for at, (_, quantity) in enumerate(lines)}
    return {"form-TOTAL_FORMS": len(lines), "form-INITIAL_FORMS": 0, **rows, **more}


def hidden(page) -> dict:
    names = ("key", "checked", "expected_total")
    return {name: re.search(rf'name="{name}"(?: value="([^"]*)")?', page.content.decode())[1] or "" for name in names}


def checked(staff, form) -> dict:
    """The form as the page has it once it was checked, ready to be placed."""
    page = staff.post(ADD, form | {"key": hidden(staff.get(ADD))["key"], "check": "1"})
    return form | hidden(page) | {"place": "1"}


@pytest.fixture
def lamp():
    return ProductFactory(name="Lamp", sku="LAMP")


def test_an_order_is_checked_and_then_placed(staff, lamp):
    form = typed((lamp, 2), (ProductFactory(name="Ink"), 1), (lamp, 1), **ADA, **THERE)

    ready = checked(staff, form)
    assert (ready["expected_total"], Order.objects.count(), available(lamp)) == ("79.96", 0, 10)
    answer = staff.post(ADD, ready, follow=True)

    order = Order.objects.get()
    assert messages_of(answer) == [f"{order} is placed."]
    assert (order.placed_by, str(order.total_price), order.status) == (
        f"staff:{User.objects.get().pk}",
        "79.96",
        "completed",
    )
    assert (order.customer_email, order.reference, order.ship_to) == ("ada@example.com", "R-1", THERE)
    assert available(lamp) == 7


def test_an_order_may_be_held(staff, lamp):
    staff.post(ADD, checked(staff, typed((lamp, 2), hold="30")))

    assert Order.objects.get().status == "pending"


def test_a_double_click_places_one(staff, lamp):
    ready = checked(staff, typed((lamp, 2)))

    answers = race([lambda: staff_like(staff).post(ADD, ready)] * 2)

    assert {answer["Location"] for answer in answers} == {
        reverse("admin:orders_order_change", args=[Order.objects.get().pk])
    }
    assert available(lamp) == 8


def test_what_was_not_checked_is_checked_first(staff, lamp):
    ready = checked(staff, typed((lamp, 2)))

    page = staff.post(ADD, ready | {"form-0-quantity": 3})

    assert "59.97" in page.content.decode()
    assert not Order.objects.exists()


def test_a_price_that_changed_meanwhile_is_shown_before_it_is_paid(staff, lamp):
    ready = checked(staff, typed((lamp, 2)))
    update_product(lamp.pk, {"price": "25.00"}, cause=TEST)

    page = staff.post(ADD, ready)

    assert messages_of(page) == ["The prices have changed since it was checked. Look at the new ones."]
    assert (hidden(page)["expected_total"], Order.objects.count()) == ("50.00", 0)
    staff.post(ADD, ready | hidden(page))
    assert str(Order.objects.get().total_price) == "50.00"


def test_every_shortage_is_told(staff, lamp):
    ink = ProductFactory(name="Ink", stock=1)

    page = staff.post(ADD, typed((lamp, 11), (ink, 2), key=hidden(staff.get(ADD))["key"]))

    assert messages_of(page) == ["There is not enough. Lamp: 11 wanted, 10 available; Ink: 2 wanted, 1 available."]
    assert "Lamp · LAMP · 19.99 · 10 available" in page.content.decode()


def test_what_is_sold_meanwhile_is_refused(staff, lamp):
    ready = checked(staff, typed((lamp, 10)))
    place({lamp: 1})

    assert messages_of(staff.post(ADD, ready)) == ["There is not enough. Lamp: 10 wanted, 9 available."]
    assert Order.objects.count() == 1


def test_a_key_that_is_spent_is_replaced(staff, lamp):
    ready = checked(staff, typed((lamp, 1)))
    staff.post(ADD, ready)
    other = staff.post(ADD, typed((lamp, 2), key=ready["key"], check="1"))

    page = staff.post(ADD, typed((lamp, 2), place="1") | hidden(other))

    assert "used for a different request" in messages_of(page)[0]
    assert hidden(page)["key"] != ready["key"]
    assert Order.objects.count() == 1


BAD = [
    {"form-0-quantity": "0"},
    {"form-0-quantity": "1000001"},
    {"form-0-quantity": "x"},
    {"form-0-product": "x"},
    {"form-0-product": ""},
    {"form-0-product": "99999999999999999999"},
    {"form-TOTAL_FORMS": "x"},
    {"form-TOTAL_FORMS": "0"},
    {"form-TOTAL_FORMS": "101"},
    {"hold": "0"},
    {"hold": "10081"},
    {"customer_email": "x"},
    {"customer_email": "ada@example.com"},
    {"customer_name": "Ada"},
    {"line1": "1 Main St"},
    {"country": "gb"},
    {"reference": "\x00"},
    {"key": "x"},
    {"expected_total": "x"},
]


@pytest.mark.parametrize("more", BAD)
def test_a_bad_form_is_shown_again_and_places_nothing(staff, lamp, more):
    form = typed((lamp, 1), key=hidden(staff.get(ADD))["key"]) | more

    page = staff.post(ADD, form)

    assert page.status_code == 200
    assert page.context["form"].errors or not page.context["lines"].is_valid()
    assert not Order.objects.exists()


def test_a_product_that_is_archived_or_none_is_refused(staff, lamp):
    update_product(lamp.pk, {"is_active": False}, cause=TEST)

    page = staff.post(ADD, typed((lamp, 1), key=hidden(staff.get(ADD))["key"]))

    assert messages_of(page) == ["One of the products is not on sale any more. Choose another."]


@pytest.mark.parametrize("text", ["lam", "LAMP", "warm lam", "%00lamp"])
def test_products_are_found_by_sku_and_words(staff, text):
    ProductFactory(name="Warm lamp", sku="LAMP-1", stock=3)
    ProductFactory(name="Ink")

    [found] = staff.get(f"{FOUND}?term={text}").json()["results"]

    assert found["text"] == "Warm lamp · LAMP-1 · 19.99 · 3 available"


def test_who_may_not_add_orders_places_none(api, lamp, django_user_model):
    viewer = django_user_model.objects.create_user("eva", password="a long password", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_order", "change_order"]))
    api.force_login(viewer)

    assert {api.get(ADD).status_code, api.post(ADD, typed((lamp, 1))).status_code, api.get(FOUND).status_code} == {403}
    assert ADD not in api.get(reverse("admin:orders_order_changelist")).content.decode()
