from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeNumericFilter

from catalog.models import Product


class StockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("low", "Low"), ("out", "Out of stock"), ("in", "In stock")]

    def queryset(self, request: HttpRequest, products: QuerySet[Product]) -> QuerySet[Product]:
        conditions: dict[str | None, dict[str, Any]] = {
            "low": {"stock__available__lte": F("low_stock_at")},
            "out": {"stock__available": 0},
            "in": {"stock__available__gt": 0},
        }
        return products.filter(**conditions.get(self.value(), {}))


class PriceFilter(RangeNumericFilter):
    """What is no number narrows nothing down."""

    def queryset(self, request: HttpRequest, products: QuerySet[Product]) -> QuerySet[Product]:
        found = super().queryset(request, products)
        return products if found is None else found
