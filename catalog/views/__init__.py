from catalog.views.classic import ClassicProductViewSet
from catalog.views.products import MovementViewSet, ProductViewSet
from catalog.views.stock import StockViewSet

__all__ = ["ClassicProductViewSet", "MovementViewSet", "ProductViewSet", "StockViewSet"]
