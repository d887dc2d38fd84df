from functools import cache
from typing import Any

from django.db.models import FloatField
from django.db.models.functions import Cast

from catalog.models import Product
from ecommerce import prepared

NAMES = ("id", "name", "description", "price", "stock")


def classic_products(*, skip: int, limit: int) -> list[dict[str, Any]]:
    """Products on sale in the order of their ids, as the classic API shows them."""
    rows = prepared.fetch(words_to_list(), [prepared.number(limit), prepared.number(skip)])
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


@cache
def words_to_list() -> str:
    price = Cast("price", FloatField())
    rows = Product.objects.on_sale().order_by("pk").values_list("id", "name", "description", price, "stock__available")
    return f"{rows.query.sql_with_params()[0]} LIMIT %s OFFSET %s"
