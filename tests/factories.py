"""State is built through the front door: what the tests start from is what the shop itself would have written."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import factory

from catalog.models import Product, Stock
from catalog.services import Cause, create_product
from orders.models import Order
from orders.services import Line, OrderRequest, Placed, place_order

TEST = Cause(done_by="command:test")
ADDRESS = {"name": "Ada", "line1": "1 Main St", "city": "London", "postal_code": "N1", "country": "GB"}


class ProductFactory(factory.Factory):
    class Meta:
        model = create_product

    name = factory.Sequence(lambda n: f"Product {n}")
    description = "A thing"
    price = factory.LazyFunction(lambda: Decimal("19.99"))
    stock = 10
    cause = TEST


def place(quantities: Mapping[Product, int], **options: Any) -> Placed:
    lines = [Line(product.pk, quantity) for product, quantity in quantities.items()]
    return place_order(OrderRequest(lines=lines, **{"placed_by": "open", **options}))


def placed(quantities: Mapping[Product, int], **options: Any) -> Order:
    return place(quantities, **options).order


def available(product: Product) -> int:
    return Stock.objects.get(pk=product.pk).available


def committed(product: Product) -> int:
    return Stock.objects.get(pk=product.pk).committed


def ledger(product: Product) -> list[tuple[str, int, int, int]]:
    """(kind, available change, committed change, available after), oldest first."""
    columns = ("kind", "available_change", "committed_change", "available_after")
    return list(product.movements.order_by("pk").values_list(*columns))


def timeline(order: Order) -> list[tuple[str, str, str]]:
    return list(order.events.values_list("kind", "old_status", "new_status"))
