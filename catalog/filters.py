from datetime import datetime
from typing import Any

from catalog.models import Product, ProductQuerySet, StockMovement, StockMovementQuerySet
from ecommerce.api.filters import (
    AmountFilter,
    AskedFilterSet,
    FlagFilter,
    TextFilter,
    TimeFilter,
    WholeNumberFilter,
    WordFilter,
)


class ProductFilter(AskedFilterSet):
    sku = TextFilter(max_length=64)
    number = WholeNumberFilter(field_name="pk")
    min_price = AmountFilter(field_name="price", lookup_expr="gte")
    max_price = AmountFilter(field_name="price", lookup_expr="lte")
    in_stock = FlagFilter(method="keep_in_stock")
    is_active = WordFilter(method="keep_active", words=["true", "false", "any"])
    created_since = TimeFilter(field_name="created_at", lookup_expr="gte")
    updated_since = TimeFilter(field_name="updated_at", lookup_expr="gte")
    search = TextFilter(method="keep_found", max_length=200)

    class Meta:
        model = Product
        fields: list[str] = []

    def filter_queryset(self, queryset: ProductQuerySet) -> Any:
        """What is archived is shown to who asks for it."""
        products = super().filter_queryset(queryset)
        return products if "is_active" in self.filters else products.on_sale()

    def keep_in_stock(self, products: ProductQuerySet, name: str, value: bool) -> ProductQuerySet:
        return products.filter(stock__available__gt=0) if value else products.filter(stock__available=0)

    def keep_active(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products if value == "any" else products.filter(is_active=value == "true")

    def keep_found(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.found_by(value)


class MovementFilter(AskedFilterSet):
    as_of = TimeFilter(method="keep_until")

    class Meta:
        model = StockMovement
        fields: list[str] = []

    def keep_until(self, movements: StockMovementQuerySet, name: str, value: datetime) -> StockMovementQuerySet:
        return movements.until(value)
