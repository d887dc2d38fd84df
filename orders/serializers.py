from typing import Any

from rest_framework import serializers

from ecommerce.api.fields import MAX_ID, LaxIntegerField, LaxMoneyField
from orders.models import MAX_LINES, MAX_QUANTITY


class ClassicLineSerializer(serializers.Serializer[Any]):
    product_id = LaxIntegerField(min_value=1, max_value=MAX_ID)
    quantity = LaxIntegerField(min_value=1, max_value=MAX_QUANTITY)


class ClassicNewOrderSerializer(serializers.Serializer[Any]):
    products = ClassicLineSerializer(many=True, allow_empty=False, max_length=MAX_LINES)  # type: ignore[call-arg]


class ClassicItemSerializer(serializers.Serializer[Any]):
    product_id = serializers.IntegerField()
    product_name = serializers.CharField()
    quantity = serializers.IntegerField()
    price_at_time = LaxMoneyField()
    subtotal = LaxMoneyField()


class ClassicOrderSerializer(serializers.Serializer[Any]):
    """Of an `orders.services.Placed`."""

    id = serializers.IntegerField(source="order.pk")
    items = ClassicItemSerializer(many=True)
    total_price = LaxMoneyField(source="order.total_price")
    status = serializers.CharField(source="order.status")
