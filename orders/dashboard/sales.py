"""What the dashboard says of sales. Days that are over come from the roll-up, today from its orders themselves.

An order counts on the day on which it was placed, once it is bought, with what cancellations left of it: a cancellation
lowers the day of its order, however late it comes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from orders.models import DayOfSales
from orders.services.counting import start_of, today

# What was placed since then was also changed since then, of which there is an index of rows. That of `created_at` knows
# ranges of the table, and new orders in gaps of old pages make them all seem new: IS TRUE keeps PostgreSQL from it.
LIVE = """
    WITH live AS MATERIALIZED (
        SELECT id, status, current_total
          FROM orders_order WHERE updated_at >= %(since)s AND (created_at >= %(since)s) IS TRUE)
    SELECT count(*) FILTER (WHERE status = 'completed'),
           coalesce(sum(current_total) FILTER (WHERE status = 'completed'), 0),
           (SELECT coalesce(sum(quantity - cancelled_quantity), 0)
              FROM live bought JOIN orders_orderitem item ON item.order_id = bought.id
             WHERE bought.status = 'completed'),
           count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'cancelled')
      FROM live
"""
# Sums of int are several times as fast as those of bigint, which PostgreSQL makes numeric.
TOP = """
    SELECT product.id, product.name, best.units
      FROM (SELECT product_id, sum(units) AS units
              FROM (SELECT product_id, units::int
                      FROM orders_productday WHERE day_id >= %(first)s AND day_id < %(today)s
                     UNION ALL
                    SELECT product_id, item.quantity - item.cancelled_quantity
                      FROM orders_order bought JOIN orders_orderitem item ON item.order_id = bought.id
                     WHERE bought.updated_at >= %(since)s AND (bought.created_at >= %(since)s) IS TRUE
                       AND bought.status = 'completed') sold
             GROUP BY product_id HAVING sum(units) > 0
             ORDER BY units DESC, product_id LIMIT 6) best
      JOIN catalog_product product ON product.id = best.product_id
     ORDER BY best.units DESC, product.id
"""


@dataclass(kw_only=True)
class Sales:
    orders: int = 0
    revenue: Decimal = Decimal()
    units: int = 0
    pending: int = 0
    cancelled: int = 0

    @property
    def average(self) -> Decimal:
        return (self.revenue / self.orders).quantize(Decimal("0.01")) if self.orders else Decimal("0.00")


NAMES = [field.name for field in fields(Sales)]


def sales_by_day(days: int) -> dict[date, Sales]:
    """Of these days up to today, and of as many before; a day that was not counted yet is absent."""
    now = today()
    counted = DayOfSales.objects.filter(day__gt=now - timedelta(days=2 * days), day__lt=now)
    by_day = {row["day"]: Sales(**{name: row[name] for name in NAMES}) for row in counted.values("day", *NAMES)}
    return by_day | {now: live_sales(now)}


def live_sales(day: date) -> Sales:
    with connection.cursor() as cursor:
        cursor.execute(LIVE, {"since": start_of(day)})
        return Sales(**dict(zip(NAMES, cursor.fetchone(), strict=True)))


def total(days: Iterable[Sales]) -> Sales:
    whole = Sales()
    for day in days:
        for name in NAMES:
            setattr(whole, name, getattr(whole, name) + getattr(day, name))
    return whole


def top_products(days: int) -> list[dict[str, Any]]:
    now = today()
    with connection.cursor() as cursor:
        cursor.execute(TOP, {"first": now - timedelta(days=days - 1), "today": now, "since": start_of(now)})
        return [dict(zip(("id", "name", "units"), row, strict=True)) for row in cursor.fetchall()]
