"""A made-up shop is one that the real one could have become."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.models import Product, StockMovement
from orders.books import check_books
from orders.demo.hours import hours_of
from orders.models import Order, OrderEvent, OrderItem
from orders.services import cancel_order, ship_order
from tests.factories import ProductFactory, placed

pytestmark = pytest.mark.django_db(transaction=True)


def test_fills_a_shop_whose_books_balance(capsys):
    lamp = ProductFactory()

    call_command("fill_demo", products=40, orders=900, days=30)

    assert "40 products and 900 orders of 30 days" in capsys.readouterr().out
    assert (Product.objects.count(), Order.objects.count()) == (41, 900)
    assert check_books() == []
    assert not OrderItem.objects.filter(product=lamp).exists()


def test_its_orders_are_in_every_state_and_of_every_time():
    call_command("fill_demo", products=40, orders=900, days=3)

    assert set(Order.objects.values_list("status", flat=True)) == set(Order.Status.values)
    assert set(OrderEvent.objects.values_list("kind", flat=True)) == set(OrderEvent.Kind.values) - {
        "hold_extended",
        "note_added",
    }
    assert Order.objects.to_ship().count() > 50
    assert Order.objects.hold_is_over().count() == 0
    placed = list(Order.objects.order_by("created_at").values_list("created_at", flat=True))
    times = [timezone.now() - timedelta(days=3), *placed, timezone.now()]
    assert max(after - before for before, after in pairwise(times)) < timedelta(hours=12)  # a night is quiet
    ids = list(StockMovement.objects.order_by("pk").values_list("created_at", flat=True))
    assert ids == sorted(ids)


def test_a_shop_goes_on_from_there():
    call_command("fill_demo", products=5, orders=100, days=3)
    order = Order.objects.to_ship().first()

    ship_order(order.pk, done_by="staff:1")
    cancel_order(order.pk, done_by="staff:1")
    product = Product.objects.filter(stock__available__gt=0, is_active=True).first()

    assert placed({product: 1}).pk > order.pk
    assert check_books() == []


def test_refuses_a_shop_that_has_orders():
    placed({ProductFactory(): 1})

    with pytest.raises(CommandError, match="There are orders"):
        call_command("fill_demo", products=5, orders=10, days=1)

    assert (Product.objects.count(), Order.objects.count()) == (1, 1)


@pytest.mark.parametrize("option", ["products", "orders", "days"])
def test_refuses_numbers_that_make_no_shop(option):
    with pytest.raises(CommandError, match=f"--{option} must be from 1"):
        call_command("fill_demo", **{option: 0})


def test_refuses_where_orders_are_real(settings):
    settings.LOCAL = False

    with pytest.raises(CommandError, match="LOCAL=1"):
        call_command("fill_demo", products=5, orders=10, days=1)

    assert not Product.objects.exists()


@pytest.mark.parametrize("orders", [1, 7, 1000])
def test_hours_share_all_orders_and_end_now(orders):
    now = datetime(2026, 3, 30, 11, 20, tzinfo=ZoneInfo("UTC"))

    hours = hours_of(orders, days=10, now=now, zone=ZoneInfo("Europe/Paris"))

    assert sum(hour.orders for hour in hours) == orders
    assert hours[0].start == datetime(2026, 3, 20, 11, tzinfo=ZoneInfo("UTC"))
    assert hours[-1].start + hours[-1].length == now
    assert hours[-1].length == timedelta(minutes=20)
