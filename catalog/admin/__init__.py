"""The catalogue in the back office, page by page."""

from catalog.admin.movements import StockMovementAdmin
from catalog.admin.products import ProductAdmin

__all__ = ["ProductAdmin", "StockMovementAdmin"]
