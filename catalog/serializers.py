from decimal import Decimal
from typing import Any

from rest_framework import serializers

from catalog.models import MAX_PRICE, MAX_STOCK
from ecommerce.api.fields import MAX_ID, LaxIntegerField, LaxMoneyField, TextField


class ClassicProductSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    price = LaxMoneyField()
    stock = serializers.IntegerField(source="stock__available", help_text="Units that may be sold now.")


class ClassicNewProductSerializer(serializers.Serializer[Any]):
    name = TextField(max_length=100)
    description = TextField()
    price = LaxMoneyField(min_value=Decimal("0.01"), max_value=MAX_PRICE)
    stock = LaxIntegerField(min_value=0, max_value=MAX_STOCK)


class ClassicPageSerializer(serializers.Serializer[Any]):
    skip = LaxIntegerField(min_value=0, max_value=MAX_ID, default=0, help_text="Products to leave out at the start.")
    limit = LaxIntegerField(min_value=0, max_value=100_000, default=100, help_text="Products to list at most.")
