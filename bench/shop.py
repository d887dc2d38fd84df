"""What the run does inside of our shop's database: `python -m bench.shop fill` and `python -m bench.shop check`."""

import json
import os
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

import django

PRODUCTS = 10_000
STOCK = int(os.environ.get("STOCK", 10_000_000))


def fill() -> dict[str, Any]:
    """Products, and a client with a token; `load.py` needs to know both."""
    from django.db import transaction

    from catalog.models import Product
    from catalog.services.importing import import_products, number_onwards

    rows = [
        Product(id=n, name=f"Product {n}", sku=f"B-{n}", description=description(n), price=Decimal(price(n)) / 100)
        for n in range(1, PRODUCTS + 1)
    ]
    with transaction.atomic():
        import_products(rows, opening=[STOCK] * PRODUCTS, done_by="command:bench", note="")
        number_onwards(Product)
    return {"products": [[row.pk, str(row.uuid), price(row.pk)] for row in rows], "token": token()}


def price(number: int) -> int:
    """In cents."""
    return 99 + number * 7 % 10_000


def description(number: int) -> str:
    return f"Thing number {number}, " + "well made and of good use to whoever has it. " * 2


def token() -> str:
    """Of a client with a limit that is counted, and never reached."""
    from django.utils import timezone
    from oauth2_provider.models import AccessToken

    from ecommerce.models import Client

    client = Client.objects.create(
        name="bench",
        scopes="catalog:read orders:read orders:read_all orders:write",
        requests_per_second=1_000_000,
        client_type=Client.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS,
    )
    expires = timezone.now() + timedelta(days=1)
    AccessToken.objects.create(application=client, token="bench-token", scope=client.scopes, expires=expires)  # noqa: S106
    return "bench-token"


def session() -> str:
    """Of a member of staff who is logged in and may see everything."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore

    owner = User.objects.create_superuser("bench")
    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(owner.pk), owner.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = "ecommerce.staff.backends.StaffBackend"
    store.create()
    return str(store.session_key)


def check() -> dict[str, Any]:
    """Faults in the books; and how many orders they hold."""
    from orders.books import check_books
    from orders.models import Order

    return {"faults": [str(fault) for fault in check_books()], "orders": Order.objects.count()}


def grown() -> dict[str, Any]:
    """What `load.py` needs to know of a shop that `fill_demo` has filled; and how much is in it."""
    from django.db import connection
    from django.db.models import Max

    from catalog.models import Product, Stock, StockMovement
    from catalog.services import Cause, receive_stock
    from orders.models import Order, OrderItem
    from orders.services import count_days

    count_days()
    for stock in Stock.objects.filter(product__is_active=True).order_by("pk")[:1_000]:
        receive_stock(stock.pk, STOCK, cause=Cause(done_by="command:bench"))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    rows = Product.objects.on_sale().order_by("pk")[:1_000]
    return {
        "products": [[row.pk, str(row.uuid), int(row.price * 100)] for row in rows],
        "token": token(),
        "session": session(),
        "orders": Order.objects.count(),
        "items": OrderItem.objects.count(),
        "movements": StockMovement.objects.count(),
        "last": Order.objects.aggregate(last=Max("pk"))["last"],
    }


if __name__ == "__main__":
    django.setup()
    print(json.dumps({"fill": fill, "check": check, "grown": grown}[sys.argv[1]]()))
