"""What somebody should look at: orders that wait, products that run out, holds that end, orders that came twice."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, F, Min, QuerySet, Window
from django.db.models.functions import Now

from catalog.models import Product
from orders.models import BooksCheck, Order
from orders.services.checking import LOST_AFTER

SHOWN = 6
SOON = timedelta(hours=1)
# The same customer, products, quantities and prices within ten minutes, in the last two days (IS TRUE: see LIVE).
POSSIBLE_DUPLICATES = """
    WITH recent AS MATERIALIZED (
        SELECT id, lower(customer_email) AS email, created_at, total_price
          FROM orders_order
         WHERE updated_at > now() - interval '2 days' AND (created_at > now() - interval '2 days') IS TRUE
           AND customer_email <> '' AND status <> 'cancelled')
    SELECT earlier.id, later.id, later.email, later.created_at
      FROM recent earlier
      JOIN recent later USING (email, total_price)
     WHERE later.id > earlier.id
       AND later.created_at BETWEEN earlier.created_at - interval '10 minutes'
                                AND earlier.created_at + interval '10 minutes'
       AND (SELECT array_agg((product_id, quantity) ORDER BY product_id)
              FROM orders_orderitem WHERE order_id = earlier.id)
         = (SELECT array_agg((product_id, quantity) ORDER BY product_id)
              FROM orders_orderitem WHERE order_id = later.id)
     ORDER BY later.id DESC LIMIT 6
"""


def orders_to_ship() -> dict[str, Any]:
    return Order.objects.to_ship().aggregate(count=Count("pk"), oldest=Min("created_at"))


def low_stock() -> QuerySet[Product]:
    """The most urgent first; `whole` of each says how many there are."""
    low = Product.objects.on_sale().with_stock().filter(stock__available__lte=F("low_stock_at"))
    return low.annotate(whole=Window(Count("pk"))).order_by("stock__available", "pk")[:SHOWN]


def ending_holds() -> QuerySet[Order]:
    ending = Order.objects.filter(status=Order.Status.PENDING, hold_expires_at__range=(Now(), Now() + SOON))
    return ending.order_by("hold_expires_at")[:SHOWN]


def possible_duplicates() -> Sequence[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(POSSIBLE_DUPLICATES)
        names = ("earlier", "later", "email", "created_at")
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def last_check() -> BooksCheck | None:
    return BooksCheck.objects.filter(finished_at__isnull=False).order_by("-finished_at").first()


def open_check() -> BooksCheck | None:
    """The one that is asked for, or that is under way."""
    return BooksCheck.objects.filter(finished_at=None, asked_at__gt=Now() - LOST_AFTER).order_by("pk").first()
