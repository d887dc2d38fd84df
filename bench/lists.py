"""What a page of a list costs in a shop of a million products: the rows and blocks that PostgreSQL reads.

Each request is sent to the API; the very statements that it made are then run again under EXPLAIN (ANALYZE, BUFFERS).
Exits 1 where a bound is broken. `make bench-lists`, on a database of its own; PRODUCTS=300000 for a smaller one.
"""

import io
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import django
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

django.setup()

from catalog.models import Product, StockMovement  # noqa: E402
from catalog.views import MovementViewSet, ProductViewSet  # noqa: E402
from ecommerce.api.pagination import Place, chosen_order  # noqa: E402
from orders.models import Order  # noqa: E402
from orders.views import OrderViewSet  # noqa: E402

PRODUCTS = int(os.environ.get("PRODUCTS", "1000000"))
ORDERS = int(os.environ.get("ORDERS", "200000"))
DEPTH = 100_000  # rows before the deep page
BOUND = 60_000  # rows or blocks that one request may read; a million would be all of them
PROGRAM = Client(raise_request_exception=False, SERVER_NAME="localhost")


@dataclass(frozen=True)
class Cost:
    statements: int
    rows: int
    blocks: int

    @property
    def is_bounded(self) -> bool:
        return max(self.rows, self.blocks) <= BOUND


def new_client() -> tuple[str, str]:
    printed = io.StringIO()
    call_command("create_client", "bench", scopes=["orders:read"], stdout=printed)
    client_id, secret = printed.getvalue().split()[1::2]
    return client_id, secret


def fill(*, client: str) -> None:
    statements = (Path(__file__).parent / "lists.sql").read_text().split(";\n")
    with connection.cursor() as cursor:
        for statement in filter(str.strip, statements):
            cursor.execute(statement, {"products": PRODUCTS, "orders": ORDERS, "client": client})
        cursor.execute("VACUUM ANALYZE")


def plans_of(queries: list[dict[str, str]]) -> Iterator[dict[str, Any]]:
    for query in queries:
        if query["sql"].startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query['sql']}".replace("%", "%%"), ())
                yield cursor.fetchone()[0][0]["Plan"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def rows_read(plan: dict[str, Any]) -> int:
    """Those included that a filter then left out."""
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(
        round(sum([node["Actual Rows"], *(node.get(name, 0) for name in removed)]) * node["Actual Loops"])
        for node in nodes(plan)
        if "Scan" in node["Node Type"] and node["Node Type"] != "Bitmap Index Scan"
    )


def cost_of(queries: list[dict[str, str]]) -> Cost:
    plans = list(plans_of(queries))
    blocks = sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans)
    return Cost(len(plans), sum(map(rows_read, plans)), blocks)


def deep(path: str, view: Any, queryset: Any, ordering: str) -> str:
    """The address of the page that lies DEPTH rows down the list."""
    order = chosen_order(view, ordering, queryset.model)
    row = order.sort(queryset, backwards=False)[DEPTH]
    place = Place(value=getattr(row, order.column.attname), pk=row.pk, backwards=False)
    return f"{path}?ordering={ordering}&cursor={place.as_cursor(order)}"


def requests() -> Iterator[tuple[str, str]]:
    """Names and addresses. In brackets: filters that have no index, since each would cost every order a write."""
    products, orders = "/api/v1/products/", "/api/v1/orders/"
    ledger = f"{products}{Product.objects.get(pk=1).uuid}/movements/"
    yield "products: first page", products
    yield "products: page 200, by number", f"{products}?page=200"
    for ordering in ("price", "-price", "name", "-updated_at"):
        yield f"products: first page by {ordering}", f"{products}?ordering={ordering}"
    for ordering in ("number", "-number", "price", "name", "-updated_at"):
        there = deep(products, ProductViewSet, Product.objects.on_sale(), ordering)
        yield f"products: {DEPTH} rows deep by {ordering}", there
    yield "products: by sku", f"{products}?sku=BENCH-777777"
    yield "products: by price", f"{products}?min_price=500&max_price=500.10"
    yield "(products: sold out)", f"{products}?in_stock=false"
    yield "products: changed since", f"{products}?updated_since={quote(str(Product.objects.get(pk=999).updated_at))}"
    yield "search: a rare word", f"{products}?search=quetzal"
    yield "search: a rare word, by price", f"{products}?search=quetzal&ordering=price"
    yield "search: the beginning of a rare word", f"{products}?search=quetz"
    yield "search: nothing found", f"{products}?search=xylophone"
    yield "search: a common word", f"{products}?search=babababa"
    yield "search: a common word, by price", f"{products}?search=babababa&ordering=-price"
    yield "search: the beginning of many words", f"{products}?search=b"
    yield "search: a word of medium frequency", f"{products}?search=lilibaba"
    yield "search: a sku", f"{products}?search=BENCH-777777"
    yield "search: the beginning of every sku", f"{products}?search=bench"
    yield "search: two common words, never together", f"{products}?search=brass+teak"
    yield "search: a common word, all of it dear, by price", f"{products}?search=velvet&ordering=price"
    yield "search: a common word, none of it cheap", f"{products}?search=velvet&max_price=500"
    yield "orders: first page", orders
    yield "orders: of a client that has few", orders
    for ordering in ("-number", "-updated_at"):
        there = deep(orders, OrderViewSet, Order.objects.all(), ordering)
        yield f"orders: {DEPTH} rows deep by {ordering}", there
    yield "orders: pending, of which there are none", f"{orders}?status=pending"
    yield "orders: of a customer", f"{orders}?customer=buyer77@example.com"
    yield "orders: by reference", f"{orders}?reference=web-4711"
    yield "(orders: of a product in every order)", f"{orders}?product=BENCH-1"
    yield "(orders: of another product)", f"{orders}?product=BENCH-4711"
    yield "orders: search for a customer", f"{orders}?search=buyer77"
    yield "orders: search for a word of every order", f"{orders}?search=example"
    yield "orders: search, nothing found", f"{orders}?search=xylophone"
    yield "ledger: first page", ledger
    yield f"ledger: {DEPTH} rows deep", deep(ledger, MovementViewSet, StockMovement.objects.filter(product=1), "-id")


def measure(name: str, address: str, headers: dict[str, str]) -> bool:
    started = time.monotonic()
    with CaptureQueriesContext(connection) as captured:
        answer = PROGRAM.get(address, headers=headers if "client" in name else {})
    took = (time.monotonic() - started) * 1000
    if answer.status_code != 200:
        print(f"{name:<52} {answer.status_code} after {took:.0f} ms: {answer.json()['code']}")
        return False
    cost, body = cost_of(captured.captured_queries), answer.json()
    about = "~" if body["count_is_estimate"] else ""
    count = "null" if body["count"] is None else f"{about}{body['count']}"
    holds = cost.is_bounded or name.startswith("(")
    verdict = "" if holds else "  TOO MANY"
    print(
        f"{name:<52} {count:>9} {cost.statements:>10} {cost.rows:>8} {cost.blocks:>8} {took:>6.0f}{verdict}", flush=True
    )
    return holds


def main() -> int:
    call_command("migrate", verbosity=0)
    client_id, secret = new_client()
    print(f"Filling a shop with {PRODUCTS:,} products and {ORDERS:,} orders ...", flush=True)
    fill(client=f"app:{client_id}")
    form = urlencode({"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret})
    token = PROGRAM.post("/o/token/", form, content_type="application/x-www-form-urlencoded").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '5s'")  # as in a request
    print(f"{'request':<52} {'count':>9} {'statements':>10} {'rows':>8} {'blocks':>8} {'ms':>6}")
    held = [measure(name, address, headers) for name, address in requests()]
    print(f"At most {BOUND:,} rows and blocks, but for those in brackets: {sum(held)} of {len(held)} hold.")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
