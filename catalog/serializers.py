import re
import unicodedata
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from catalog.models import IS_UUID, MAX_PRICE, MAX_STOCK, StockMovement
from ecommerce.api.fields import (
    MAX_ID,
    LaxIntegerField,
    LaxMoneyField,
    MoneyField,
    NameField,
    ParagraphField,
    StrictBooleanField,
    TextField,
    WholeNumberField,
    WordField,
)
from ecommerce.api.serializers import StrictSerializer
from ecommerce.api.shared import time_shown

Kind = StockMovement.Kind

# The classic API


class ClassicProductSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    price = LaxMoneyField()
    stock = serializers.IntegerField(source="stock.available", help_text="Units that may be sold now.")


class ClassicNewProductSerializer(serializers.Serializer[Any]):
    name = TextField(max_length=100)
    description = TextField()
    price = LaxMoneyField(min_value=Decimal("0.01"), max_value=MAX_PRICE)
    stock = LaxIntegerField(min_value=0, max_value=MAX_STOCK)


class ClassicPageSerializer(serializers.Serializer[Any]):
    skip = LaxIntegerField(min_value=0, max_value=MAX_ID, default=0, help_text="Products to leave out at the start.")
    limit = LaxIntegerField(min_value=0, max_value=100_000, default=100, help_text="Products to list at most.")


# API v1


@extend_schema_field(
    {"type": "string", "maxLength": 64, "minLength": 1, "description": "A product's uuid, or its sku."}
)
class ProductReferenceField(NameField):
    """No sku has the form of a uuid, so that one is never taken for the other."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, **options)

    def run_validation(self, data: Any = empty) -> Any:
        return reference(super().run_validation(data))


def reference(text: str) -> UUID | str:
    return UUID(text) if IS_UUID.fullmatch(text) else text


def is_plain_reference(text: Any) -> bool:
    """Nothing in it that a field would have to look at."""
    return isinstance(text, str) and re.fullmatch("[A-Za-z0-9._-]{1,64}", text) is not None


class ProductSerializer(serializers.Serializer[Any]):  # of a row of `Product.objects.as_shown()`
    id = serializers.UUIDField(source="uuid")
    number = serializers.IntegerField(source="id", help_text="The `product_id` of the classic API.")
    sku = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    price = MoneyField()
    currency = serializers.SerializerMethodField()
    stock = serializers.IntegerField(source="available", help_text="Units that may be sold now.")
    committed = serializers.IntegerField(help_text="Units sold or held that are still on the shelf.")
    image_url = serializers.CharField()
    is_active = serializers.BooleanField(help_text="False: archived, no list shows it and nobody can order it.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(help_text="Of the fields; the ledger has the times of the stock.")

    def get_currency(self, product: Any) -> str:
        return str(settings.SHOP_CURRENCY)

    def to_representation(self, product: Any) -> dict[str, Any]:
        return {
            "id": str(product.uuid),
            "number": product.id,
            "sku": product.sku,
            "name": product.name,
            "description": product.description,
            "price": f"{product.price:.2f}",
            "currency": self.get_currency(product),
            "stock": product.available,
            "committed": product.committed,
            "image_url": product.image_url,
            "is_active": product.is_active,
            "created_at": time_shown(product.created_at),
            "updated_at": time_shown(product.updated_at),
        }


class ProductFieldsSerializer(StrictSerializer):
    sku = NameField(max_length=64, required=False, help_text="Made if absent.")
    name = NameField(max_length=255)
    description = ParagraphField(max_length=100_000, allow_blank=True, required=False)
    price = MoneyField(min_value=Decimal("0.01"), max_value=MAX_PRICE)
    image_url = serializers.URLField(max_length=2000, allow_blank=True, required=False, trim_whitespace=False)

    def validate_sku(self, sku: str) -> str:
        if IS_UUID.fullmatch(sku):
            raise serializers.ValidationError("A sku must not have the form of a UUID.")
        if not unicodedata.is_normalized("NFC", sku):
            raise serializers.ValidationError("Its accents are signs of their own: send Unicode's normal form C.")
        return sku


class NewProductSerializer(ProductFieldsSerializer):
    stock = WholeNumberField(
        min_value=0, max_value=MAX_STOCK, default=0, help_text="The opening stock: the first row of its ledger."
    )


class ProductChangesSerializer(ProductFieldsSerializer):
    """Its stock is moved and not written over."""

    is_active = StrictBooleanField(required=False)


class MovementSerializer(serializers.Serializer[StockMovement]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    quantity = serializers.IntegerField(source="available_change", help_text="Units for sale that came or went.")
    committed_change = serializers.IntegerField()
    balance_after = serializers.IntegerField(source="available_after", help_text="Units for sale after it.")
    order = serializers.UUIDField(source="order_uuid", allow_null=True, help_text="Null also where it is not yours.")
    done_by = serializers.CharField(
        allow_null=True, help_text="Null where it was neither you nor on an order of yours."
    )
    note = serializers.CharField()
    created_at = serializers.DateTimeField()


class StockLineSerializer(StrictSerializer):
    product = ProductReferenceField()
    kind = WordField(choices=[Kind.RECEIVED, Kind.ADJUSTED, Kind.COUNTED])
    quantity = WholeNumberField(
        min_value=-MAX_STOCK,
        max_value=MAX_STOCK,
        help_text="Received: how many arrived. Adjusted: how many to add, or with a minus to remove. "
        "Counted: how many lie on the shelf, the committed ones included.",
    )
    expected = WholeNumberField(
        min_value=0,
        max_value=MAX_STOCK,
        required=False,
        help_text="How many you believe to lie on the shelf before: stock + committed.",
    )
    note = NameField(max_length=1000, allow_blank=True, required=False, help_text="An adjustment needs one.")

    def validate(self, line: dict[str, Any]) -> dict[str, Any]:
        kind, quantity = line["kind"], line["quantity"]
        if kind == Kind.RECEIVED and quantity < 1:
            raise serializers.ValidationError({"quantity": "At least one unit must have arrived."})
        if kind == Kind.COUNTED and quantity < 0:
            raise serializers.ValidationError({"quantity": "A shelf cannot hold fewer than none."})
        if kind == Kind.ADJUSTED and quantity == 0:
            raise serializers.ValidationError({"quantity": "Say how many units to add or remove."})
        if kind == Kind.ADJUSTED and not line.get("note"):
            raise serializers.ValidationError({"note": "Say why the stock is adjusted."})
        return line


class StockMovesSerializer(StrictSerializer):
    lines = StockLineSerializer(many=True, allow_empty=False, max_length=500)  # type: ignore[call-arg]


class ProductMovementSerializer(MovementSerializer):
    product = serializers.UUIDField(source="product.uuid")
    sku = serializers.CharField(source="product.sku")


class MovedSerializer(serializers.Serializer[Any]):
    movements = ProductMovementSerializer(many=True)
