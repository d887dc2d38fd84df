"""Whether the shop holds what the source holds, so that an import that is started twice happens once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Sum

from catalog.models import Product, StockMovement
from orders.models import Order, OrderItem
from orders.moving_in.repairs import OldOrder, OldProduct
from orders.moving_in.source import Source
from orders.moving_in.survey import Survey, old_orders, old_products
from orders.moving_in.writing import DONE_BY, batches


def differing_rows(source: Source, survey: Survey) -> Iterator[str]:
    """Products and orders of the source that the shop does not have as they would be imported now."""
    for products in batches(old_products(source)):
        yield from differing_products(products)
    for orders in batches(old_orders(source, survey)):
        yield from differing_orders(orders)


def differing_products(batch: Sequence[OldProduct]) -> Iterator[str]:
    """What was sold since the import is no difference: the stock is the one that the import left."""
    ids = [old.id for old in batch]
    imported = StockMovement.objects.filter(product_id__in=ids, done_by=DONE_BY).values("product_id")
    stock = dict(imported.annotate(units=Sum("available_change")).values_list("product_id", "units"))
    found = {
        pk: (*columns, stock.get(pk, 0))
        for pk, *columns in Product.objects.filter(pk__in=ids).values_list("pk", "name", "description", "price")
    }
    for old in batch:
        if found.get(old.id) != (old.name, old.description, old.price, old.stock):
            yield f"product {old.id}"


def differing_orders(batch: Sequence[OldOrder]) -> Iterator[str]:
    ids = [old.id for old in batch]
    statuses = dict(Order.objects.filter(pk__in=ids, placed_by=DONE_BY).values_list("pk", "status"))
    lines: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    columns = ("order_id", "product_id", "quantity", "price_at_time")
    for order_id, *line in OrderItem.objects.filter(order_id__in=ids).order_by("pk").values_list(*columns):
        lines[order_id].append(tuple(line))
    for old in batch:
        wanted = [(line.product_id, line.quantity, line.price) for line in old.lines]
        if (statuses.get(old.id), lines[old.id]) != (old.status, wanted):
            yield f"order {old.id}"
