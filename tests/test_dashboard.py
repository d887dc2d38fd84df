"""The first page of the back office: figures that are right, to the people who may see them."""

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from orders.dashboard.page import tile
from orders.dashboard.sales import Sales, sales_by_day, top_products
from orders.models import DayOfSales, Order, ProductDay
from orders.services import cancel_order, complete_order, count_days
from orders.services.counting import start_of, today
from tests.factories import ADDRESS, ProductFactory, placed

pytestmark = pytest.mark.django_db(transaction=True)


def aged(order: Order, *, days: int) -> Order:
    """As if it had been placed then."""
    times = {name: F(name) - timedelta(days=days) for name in ("created_at", "completed_at", "updated_at")}
    Order.objects.filter(pk=order.pk).update(**times)
    return order


def sold(days: int) -> dict[int, tuple[int, Decimal, int]]:
    """By days ago: orders, revenue, units."""
    found = sales_by_day(days)
    return {(today() - day).days: (row.orders, row.revenue, row.units) for day, row in found.items() if row.orders}


def someone(client, django_user_model, *permissions: str):
    user = django_user_model.objects.create_user("tom", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def test_counts_today_live_and_other_days_by_the_roll_up():
    lamp = ProductFactory(stock=100, price=Decimal("10.00"))
    placed({lamp: 1})
    aged(placed({lamp: 2}), days=1)
    aged(placed({lamp: 3}), days=5)
    assert sold(7) == {0: (1, Decimal("10.00"), 1)}

    assert count_days() == 5

    assert sold(7) == {0: (1, Decimal("10.00"), 1), 1: (1, Decimal("20.00"), 2), 5: (1, Decimal("30.00"), 3)}
    assert [(row["id"], row["units"]) for row in top_products(7)] == [(lamp.pk, 6)]
    assert [(row["id"], row["units"]) for row in top_products(1)] == [(lamp.pk, 1)]


def test_a_later_cancellation_lowers_the_day_of_its_order():
    lamp = ProductFactory(stock=100, price=Decimal("10.00"))
    order, other = aged(placed({lamp: 3}), days=3), aged(placed({lamp: 1}), days=3)
    count_days()

    cancel_order(order.pk, done_by="staff:1", quantities={lamp.pk: 1})
    cancel_order(other.pk, done_by="staff:1")
    assert count_days() == 1

    assert sold(7) == {3: (1, Decimal("20.00"), 2)}
    assert DayOfSales.objects.get(day=today() - timedelta(days=3)).cancelled == 1
    assert ProductDay.objects.get().units == 2


def test_a_hold_counts_once_it_is_bought():
    order = aged(placed({ProductFactory(): 1}, hold=timedelta(hours=1)), days=1)
    count_days()
    assert sold(7) == {}

    complete_order(order.pk, done_by="staff:1")
    count_days()

    assert sold(7) == {1: (1, Decimal("19.99"), 1)}


def test_counting_again_finds_nothing_new(settings):
    aged(placed({ProductFactory(): 1}), days=2)

    assert count_days() == 2
    assert count_days() == 0


def test_a_day_is_that_of_the_shop(settings):
    settings.SHOP_TIME_ZONE = "Pacific/Auckland"
    order = placed({ProductFactory(): 1})
    Order.objects.filter(pk=order.pk).update(created_at=start_of(today()) - timedelta(minutes=1))

    count_days()

    assert sold(7) == {1: (1, Decimal("19.99"), 1)}


def test_only_one_worker_counts():
    aged(placed({ProductFactory(): 1}), days=1)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('orders_dayofsales'))")

        assert count_days() == 0

        cursor.execute("SELECT pg_advisory_unlock_all()")
        assert count_days() == 1
    other.close()


def test_average_of_nothing_is_nothing():
    assert Sales().average == Decimal("0.00")
    assert Sales(orders=3, revenue=Decimal("10.00")).average == Decimal("3.33")


@pytest.mark.parametrize("days", [1, 7, 30, 90])
def test_the_page_shows_the_period_with_few_queries(staff, days):
    lamp = ProductFactory(stock=10, price=Decimal("1000.00"), low_stock_at=20)
    placed({lamp: 2}, ship_to=ADDRESS)
    aged(placed({lamp: 1}), days=days)
    count_days()

    with CaptureQueriesContext(connection) as queries:
        page = staff.get(f"/admin/?days={days}").content.decode()

    assert len(queries) <= 12
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", page))
    assert "2,000.00 USD +100 % before: 1,000.00" in text
    assert "1 order, the oldest since" in text
    assert "7 left" in text


def test_a_loss_that_rounds_to_nothing_is_not_shown_as_one():
    assert (tile("Orders", 998, 1000)["change"], tile("Orders", 998, 1000)["is_up"]) == ("+0 %", True)
    assert (tile("Orders", 990, 1000)["change"], tile("Orders", 990, 1000)["is_up"]) == ("-1 %", False)
    assert (tile("Orders", 5, 0)["change"], tile("Orders", 5, 0)["is_up"]) == ("", True)


def test_what_is_no_period_shows_the_usual_one(staff):
    placed({ProductFactory(): 1})
    page = staff.get("/admin/?days=8\0")

    assert page.status_code == 200
    assert len(json.loads(page.context["orders_chart"])["labels"]) == 30


def test_an_empty_shop_says_what_to_do(staff):
    assert "There are no orders yet" in staff.get("/admin/").content.decode()

    placed({ProductFactory(): 1})

    assert "There are no orders yet" not in staff.get("/admin/").content.decode()


def test_orders_that_came_twice_are_shown(staff):
    lamp, ink = ProductFactory(), ProductFactory()
    ada = {"email": "ada@example.com"}
    first, second = placed({lamp: 1}, customer=ada), placed({lamp: 1}, customer={"email": "ADA@example.com"})
    placed({ink: 1}, customer=ada)
    placed({lamp: 1}, customer={"email": "bob@example.com"})
    aged(placed({lamp: 1}, customer=ada), days=1)

    [pair] = staff.get("/admin/").context["duplicates"]

    assert (pair["earlier"], pair["later"]) == (first.pk, second.pk)


def test_a_hold_about_to_end_is_shown(staff):
    soon, _ = (placed({ProductFactory(): 1}, hold=timedelta(hours=hours)) for hours in (0.5, 2))

    assert list(staff.get("/admin/").context["holds"]) == [soon]


@pytest.mark.parametrize(
    ("permissions", "seen"),
    [
        ([], set()),
        (["view_product"], {"low"}),
        (["view_bookscheck"], {"check"}),
        (["view_order"], {"tiles", "top", "to_ship", "duplicates", "holds"}),
    ],
)
def test_shows_only_what_the_person_may_see(client, django_user_model, permissions, seen):
    placed({ProductFactory(low_stock_at=20): 1})

    context = someone(client, django_user_model, *permissions).get("/admin/").context

    assert {
        name for name in ("low", "check", "tiles", "top", "to_ship", "duplicates", "holds") if name in context
    } == seen


def test_the_search_finds_orders_and_products(staff):
    lamp = ProductFactory(name="Brass lantern", sku="LAN-1")
    order = placed({lamp: 1}, customer={"email": "Ada@Example.com", "name": "Ada"}, reference="W-77")

    def found(text):
        return re.findall(
            r'data-title="([^"]+)"', staff.get("/admin/search/", {"s": text, "extended": 1}).content.decode()
        )

    assert found(str(order.pk)) == [f"Order {order.pk}"]
    assert found("ada@example.com") == found("W-77") == [f"Order {order.pk}"]
    assert found("LAN-1") == found("lant br") == ["Brass lantern"]
    assert found("'; DROP") == found("9" * 30) == found("\0") == []


def test_the_search_shows_only_what_the_person_may_see(client, django_user_model):
    lamp = ProductFactory(sku="1")
    order = placed({lamp: 1})
    Order.objects.filter(pk=order.pk).update(reference="1")

    page = (
        someone(client, django_user_model, "view_product")
        .get("/admin/search/", {"s": "1", "extended": 1})
        .content.decode()
    )

    assert re.findall(r'data-title="([^"]+)"', page) == [lamp.name]
