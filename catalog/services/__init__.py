"""The only code that writes products, stock and the ledger.

These are steps: they run inside the caller's transaction, or in one of their own where there is none.
"""

from catalog.services.products import create_product, delete_product, update_product
from catalog.services.stock import (
    Cause,
    adjust_stock,
    count_stock,
    receive_stock,
    release_stock,
    return_stock,
    take_stock,
)

__all__ = [
    "Cause",
    "adjust_stock",
    "count_stock",
    "create_product",
    "delete_product",
    "receive_stock",
    "release_stock",
    "return_stock",
    "take_stock",
    "update_product",
]
