"""The roll-up of days that are over. No order writes it: a worker counts a day anew after one of its orders changed."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from ecommerce.database import take_time
from orders.models import DayOfSales, Order

# Of two workers one counts, and the other goes on with something else.
MAY_COUNT = "SELECT pg_try_advisory_xact_lock(hashtext('orders_dayofsales'))"
# An order that was committed a little late has an earlier time than the count before it.
LOOK_BACK = timedelta(hours=1)
CHANGED_DAYS = """
    SELECT DISTINCT (created_at AT TIME ZONE %(zone)s)::date FROM orders_order
     WHERE updated_at >= %(since)s AND created_at < %(today)s
"""
COUNT_DAY = """
    DELETE FROM orders_productday WHERE day_id = %(day)s;
    INSERT INTO orders_dayofsales (day, orders, revenue, units, pending, cancelled, counted_at)
    SELECT %(day)s, count(*) FILTER (WHERE status = 'completed'),
           coalesce(sum(current_total) FILTER (WHERE status = 'completed'), 0), 0,
           count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'cancelled'), now()
      FROM orders_order WHERE created_at >= %(since)s AND created_at < %(until)s
        ON CONFLICT (day) DO UPDATE
       SET orders = excluded.orders, revenue = excluded.revenue, pending = excluded.pending,
           cancelled = excluded.cancelled, counted_at = excluded.counted_at;
    INSERT INTO orders_productday (day_id, product_id, units, revenue)
    SELECT %(day)s, product_id, sum(item.quantity - item.cancelled_quantity),
           sum((item.quantity - item.cancelled_quantity) * item.price_at_time)
      FROM orders_order bought JOIN orders_orderitem item ON item.order_id = bought.id
     WHERE bought.created_at >= %(since)s AND bought.created_at < %(until)s AND bought.status = 'completed'
     GROUP BY product_id HAVING sum(item.quantity - item.cancelled_quantity) > 0;
    UPDATE orders_dayofsales
       SET units = (SELECT coalesce(sum(units), 0) FROM orders_productday WHERE day_id = %(day)s)
     WHERE day = %(day)s
"""


def shop_zone() -> ZoneInfo:
    return ZoneInfo(settings.SHOP_TIME_ZONE)


def today() -> date:
    """By the shop's clock."""
    return timezone.localdate(timezone=shop_zone())


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), shop_zone())


def count_days() -> int:
    """Count every day that is over and was not counted yet, or has an order that changed since; how many those were."""
    with transaction.atomic(durable=True):
        take_time()
        with connection.cursor() as cursor:
            cursor.execute(MAY_COUNT)
            [may_count] = cursor.fetchone()
        days = sorted(days_to_count()) if may_count else []
        for day in days:
            count_day(day)
    return len(days)


def days_to_count() -> set[date]:
    yesterday = today() - timedelta(days=1)
    first = Order.objects.aggregate(first=Min("created_at"))["first"] if not DayOfSales.objects.exists() else None
    newest = DayOfSales.objects.aggregate(day=Max("day"), counted=Max("counted_at"))
    if first is None and newest["day"] is None:
        return set()
    begin = newest["day"] + timedelta(days=1) if first is None else first.astimezone(shop_zone()).date()
    missing = {begin + timedelta(days=number) for number in range((yesterday - begin).days + 1)}
    return missing | (changed_days(newest["counted"] - LOOK_BACK) if newest["counted"] else set())


def changed_days(since: datetime) -> set[date]:
    with connection.cursor() as cursor:
        cursor.execute(CHANGED_DAYS, {"zone": settings.SHOP_TIME_ZONE, "since": since, "today": start_of(today())})
        return {day for [day] in cursor.fetchall()}


def count_day(day: date) -> None:
    values = {"day": day, "since": start_of(day), "until": start_of(day + timedelta(days=1))}
    with connection.cursor() as cursor:
        for statement in COUNT_DAY.split(";\n"):
            cursor.execute(statement, values)
