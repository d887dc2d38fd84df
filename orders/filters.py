from typing import Any
from uuid import UUID

from django.db.models import Q

from catalog.models import IS_UUID, Product
from ecommerce.api.filters import (
    AmountFilter,
    AskedFilterSet,
    FlagFilter,
    TextFilter,
    TimeFilter,
    WholeNumberFilter,
    WordFilter,
)
from orders.models import Order, OrderItem, OrderQuerySet


class OrderFilter(AskedFilterSet):
    number = WholeNumberFilter(field_name="pk")
    status = WordFilter(words=Order.Status.values)
    shipped = FlagFilter(field_name="shipped_at", method="keep_shipped")
    product = TextFilter(method="keep_with_product", max_length=64)
    customer = TextFilter(method="keep_of_customer", max_length=254)
    reference = TextFilter(method="keep_with_reference")
    min_total = AmountFilter(field_name="total_price", lookup_expr="gte")
    max_total = AmountFilter(field_name="total_price", lookup_expr="lte")
    created_since = TimeFilter(field_name="created_at", lookup_expr="gte")
    updated_since = TimeFilter(field_name="updated_at", lookup_expr="gte")
    search = TextFilter(method="keep_found", max_length=200)

    class Meta:
        model = Order
        fields: list[str] = []

    def keep_shipped(self, orders: OrderQuerySet, name: str, value: bool) -> OrderQuerySet:
        return orders.filter(shipped_at__isnull=not value)

    def keep_with_product(self, orders: OrderQuerySet, name: str, value: str) -> OrderQuerySet:
        """By the uuid of the product, or by the sku that it had when it was ordered or has now."""
        named: Any = (
            Q(product__uuid=UUID(value))
            if IS_UUID.fullmatch(value)
            else Q(sku=value) | Q(product__in=Product.objects.filter(sku=value))
        )
        return orders.filter(pk__in=OrderItem.objects.filter(named).values("order_id"))

    def keep_of_customer(self, orders: OrderQuerySet, name: str, value: str) -> OrderQuerySet:
        return orders.of_customer(value)

    def keep_with_reference(self, orders: OrderQuerySet, name: str, value: str) -> OrderQuerySet:
        return orders.filter(~Q(reference=""), reference=value)

    def keep_found(self, orders: OrderQuerySet, name: str, value: str) -> OrderQuerySet:
        return orders.found_by(value)
