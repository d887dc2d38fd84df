"""Products, inventory and ledger as rows of a file. What the importer reads, it reads back unchanged."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, QuerySet

from catalog.importing.formats import COUNTED, EXPORTED, OPTIONS
from catalog.models import Product, StockMovement
from ecommerce.downloads import Download
from ecommerce.exporting import in_batches

Row = list[Any]
PRODUCT_COLUMNS = ["sku", "name", "description", "price", "picture url", "on sale", "low stock at", "stock"]
PRODUCT_COLUMNS += [
    "handle",
    "title",
    *(f"option{n} {part}" for n in OPTIONS for part in ("name", "value")),
]
INVENTORY_COLUMNS = ["sku", "name", "available", "committed", EXPORTED, COUNTED]
MOVEMENT_COLUMNS = [
    "number",
    "time",
    "sku",
    "product",
    "kind",
    "available change",
    "committed change",
    "available after",
    "order",
    "done by",
    "note",
    "request id",
]


def product_rows(products: QuerySet[Product]) -> Iterator[Row]:
    for batch in in_batches(with_counters(products).select_related("group")):
        for product in batch:
            yield product_row(product)


def with_counters(products: QuerySet[Product]) -> QuerySet[Product]:
    """Not with the stock itself: a product and its stock would hold each other, and so all batches stay in memory until
    Python looks for such rings."""
    return products.annotate(available=F("stock__available"), committed=F("stock__committed"))


def product_row(product: Any) -> Row:
    group = product.group
    options = [part for option in product.options[: len(OPTIONS)] for part in option]
    return [
        product.sku,
        product.name,
        product.description,
        product.price,
        product.image_url,
        "true" if product.is_active else "false",
        product.low_stock_at,
        product.available,
        group.handle if group else "",
        group.title if group else "",
        *options,
        *[""] * (2 * len(OPTIONS) - len(options)),
    ]


def inventory_rows(products: QuerySet[Product]) -> Iterator[Row]:
    """With an empty column for who counts."""
    product: Any
    for batch in in_batches(with_counters(products)):
        for product in batch:
            on_hand = product.available + product.committed
            yield [product.sku, product.name, product.available, product.committed, on_hand, ""]


def movement_rows(movements: QuerySet[StockMovement]) -> Iterator[Row]:
    for batch in in_batches(movements.select_related("product"), newest_first=True):
        for movement in batch:
            yield movement_row(movement)


def movement_row(movement: StockMovement) -> Row:
    return [
        movement.pk,
        movement.created_at.isoformat(),
        movement.product.sku,
        movement.product.name,
        movement.kind,
        movement.available_change,
        movement.committed_change,
        movement.available_after,
        movement.order_uuid or "",
        movement.done_by,
        movement.note,
        movement.request_id,
    ]


OF_PRODUCTS = {
    "products": Download(title="Products", columns=PRODUCT_COLUMNS, rows=product_rows, formats=("csv", "xlsx")),
    "inventory": Download(
        title="Inventory, to count", columns=INVENTORY_COLUMNS, rows=inventory_rows, formats=("csv", "xlsx")
    ),
}
OF_MOVEMENTS = {"movements": Download(title="Movements", columns=MOVEMENT_COLUMNS, rows=movement_rows)}
