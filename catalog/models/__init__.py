from catalog.models.history import MAX_VERSION, ProductChange, ProductChangeQuerySet
from catalog.models.ids import COLUMN_OF, IS_UUID, Reference, make_sku, make_uuid, transaction_id
from catalog.models.imports import ImportRow, ImportRowQuerySet, ProductImport
from catalog.models.products import MAX_PRICE, Product, ProductGroup, ProductGroupQuerySet, ProductQuerySet
from catalog.models.stock import (
    MAX_STOCK,
    SOLD_LATELY,
    Stock,
    StockMovement,
    StockMovementQuerySet,
    StockQuerySet,
)

__all__ = [
    "COLUMN_OF",
    "IS_UUID",
    "MAX_PRICE",
    "MAX_STOCK",
    "MAX_VERSION",
    "SOLD_LATELY",
    "ImportRow",
    "ImportRowQuerySet",
    "Product",
    "ProductChange",
    "ProductChangeQuerySet",
    "ProductGroup",
    "ProductGroupQuerySet",
    "ProductImport",
    "ProductQuerySet",
    "Reference",
    "Stock",
    "StockMovement",
    "StockMovementQuerySet",
    "StockQuerySet",
    "make_sku",
    "make_uuid",
    "transaction_id",
]
