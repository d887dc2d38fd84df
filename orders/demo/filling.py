"""The entrance of the demo: a big shop for trials and measurements, whose books balance."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from catalog.services import import_moves_of_table, import_products, stamp
from ecommerce.database import take_time
from orders.demo.goods import goods
from orders.demo.hours import Hour, hours_of, portions
from orders.models import Order

DONE_BY = "command:fill_demo"
HOLD = timedelta(hours=24)
PORTIONS = 40
HERE = Path(__file__).parent
WORDS: dict[str, list[Any]] = json.loads((HERE / "words.json").read_text())
# Readers go on; whoever writes waits.
CLOSE_THE_DOORS = "LOCK TABLE catalog_product, orders_order IN SHARE ROW EXCLUSIVE MODE"
# A replica checks no foreign keys, ten million of them at the end; only a superuser may be one.
BE_A_REPLICA = """
    SELECT set_config('session_replication_role', 'replica', true) WHERE current_setting('is_superuser') = 'on'
"""
TABLES = "catalog_product, catalog_stock, catalog_stockmovement, orders_order, orders_orderitem, orders_orderevent"
STATEMENTS: dict[str, str] = {
    name: sql.format(
        tracking="jsonb_build_object('carrier', 'DHL', 'number', lpad((id * 7919)::text, 14, '00340434161094'))",
        reason="CASE WHEN completed_at IS NULL THEN 'the hold is over' "
        "ELSE (%(reasons)s::text[])[1 + id %% %(number_of_reasons)s] END",
    )
    if "{" in sql
    else sql
    for name, sql in re.findall(
        r"^-- name: (\w+)\n(.+?;)$(?=\n\n|\n\Z)",
        (HERE / "fill.sql").read_text(),
        re.DOTALL | re.MULTILINE,
    )
}


class OrdersThere(Exception):
    """The shop has orders already."""


def fill(*, products: int, orders: int, days: int, told: Callable[[int], object]) -> None:
    """Add products to a shop that has no order yet, and orders of these days; all of it or nothing.

    `told` is called with every number of orders that is done. Raises OrdersThere.
    """
    with transaction.atomic(durable=True):
        take_time()
        close_the_doors()
        now = stamp().created_at
        hours = hours_of(orders, days=days, now=now, zone=ZoneInfo(settings.SHOP_TIME_ZONE))
        facts = facts_of(now=now, orders=orders, products=products)
        open_shop(hours[0].start, facts)
        for portion in portions(hours, number=PORTIONS):
            write_portion(portion, facts)
            told(sum(hour.orders for hour in portion))
    settle()


def close_the_doors() -> None:
    with connection.cursor() as cursor:
        cursor.execute(CLOSE_THE_DOORS)
        cursor.execute("SET LOCAL jit = off")  # it takes longer than these statements
        cursor.execute(BE_A_REPLICA)
    if Order.objects.exists():
        raise OrdersThere


def facts_of(*, now: datetime, orders: int, products: int) -> dict[str, Any]:
    """What every statement may ask for."""
    return {
        "now": now,
        "hold": HOLD,
        "customers": orders // 4 + 1,
        "offered": products,
        "currency": settings.SHOP_CURRENCY,
        "done_by": DONE_BY,
        **{name: [text(word) for word in words] for name, words in WORDS.items()},
        **{f"number_of_{name}": len(words) for name, words in WORDS.items()},
    }


def text(word: str | list[str]) -> str:
    return word if isinstance(word, str) else json.dumps(word)


def open_shop(opened_at: datetime, facts: dict[str, Any]) -> None:
    ids = [number for [number] in run("number_products", **facts)]
    import_products(goods(ids, words=WORDS, since=opened_at), opening=[0] * len(ids), done_by=DONE_BY, note="")
    run("prepare", ids=ids, opened_at=opened_at, **facts)
    write_moves()


def write_portion(hours: Sequence[Hour], facts: dict[str, Any]) -> None:
    since, until = hours[0].start, hours[-1].start + hours[-1].length
    facts = facts | {"last": last_order(), "since": since, "until": until}
    run(
        "draw_orders",
        starts=[hour.start for hour in hours],
        lengths=[hour.length for hour in hours],
        counts=[hour.orders for hour in hours],
        **facts,
    )
    for name in ("write_lines", "write_orders", "draw_events", "write_events", "draw_moves", "order_from_the_makers"):
        run(name, **facts)
    write_moves()


def write_moves() -> None:
    import_moves_of_table("demo_move", done_by=DONE_BY)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE demo_move RESTART IDENTITY")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def last_order() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM demo_order")
        return int(cursor.fetchone()[0])


def run(name: str, **values: Any) -> list[tuple[Any, ...]]:
    """What its last statement returns."""
    with connection.cursor() as cursor:
        for statement in STATEMENTS[name].split(";\n"):
            cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def settle() -> None:
    """Statistics of the new rows, and the map of pages that need no second look."""
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {TABLES}")
