import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from catalog.serializers import ProductReferenceField, is_plain_reference, reference
from ecommerce.api.fields import (
    MAX_ID,
    EmailField,
    FlagField,
    LaxIntegerField,
    LaxMoneyField,
    MoneyField,
    NameField,
    ParagraphField,
    StrictBooleanField,
    WholeNumberField,
)
from ecommerce.api.parameters import WELL_FORMED_NAME
from ecommerce.api.serializers import StrictSerializer
from ecommerce.api.shared import shown, shown_each, time_shown
from orders.models import MAX_LINES, MAX_QUANTITY, MAX_TOTAL, Order, OrderEvent
from orders.services import Placed, Quote

MAX_HOLD = timedelta(days=7)
MAX_METADATA = 50

# The classic API


class PlainLines(serializers.ListSerializer[Any]):
    """A line that is plainly right is taken at a glance: an order may have 2,000 of them. Its fields look at whatever
    is not, and say what is wrong with it."""

    def run_child_validation(self, data: Any) -> Any:
        plain = self.child.plain(data) if type(data) is dict and len(data) == 2 else None  # type: ignore[union-attr]
        return super().run_child_validation(data) if plain is None else plain


def is_plain_number(value: Any, *, at_most: int) -> bool:
    return type(value) is int and 0 < value <= at_most


class ClassicLineSerializer(serializers.Serializer[Any]):
    class Meta:
        list_serializer_class = PlainLines

    product_id = LaxIntegerField(min_value=1, max_value=MAX_ID)
    quantity = LaxIntegerField(min_value=1, max_value=MAX_QUANTITY)

    def plain(self, line: dict[str, Any]) -> dict[str, Any] | None:
        product_id, quantity = line.get("product_id"), line.get("quantity")
        is_plain = is_plain_number(product_id, at_most=MAX_ID) and is_plain_number(quantity, at_most=MAX_QUANTITY)
        return line if is_plain else None


class ClassicNewOrderSerializer(serializers.Serializer[Any]):
    products = ClassicLineSerializer(many=True, allow_empty=False, max_length=MAX_LINES)  # type: ignore[call-arg]


class ClassicItemSerializer(serializers.Serializer[Any]):
    product_id = serializers.IntegerField()
    product_name = serializers.CharField()
    quantity = serializers.IntegerField()
    price_at_time = LaxMoneyField()
    subtotal = LaxMoneyField()


class ClassicOrderSerializer(serializers.Serializer[Placed]):
    id = serializers.IntegerField(source="order.pk")
    items = ClassicItemSerializer(many=True)
    total_price = LaxMoneyField(source="order.total_price")
    status = serializers.CharField(source="order.status")

    def to_representation(self, placed: Any) -> dict[str, Any]:
        return {
            "id": placed.order.pk,
            "items": [
                {
                    "product_id": item.product_id,
                    "product_name": item.product_name,
                    "quantity": item.quantity,
                    "price_at_time": float(item.price_at_time),
                    "subtotal": float(item.subtotal),
                }
                for item in placed.items
            ],
            "total_price": float(placed.order.total_price),
            "status": str(placed.order.status),
        }


# API v1: what is sent


class LineSerializer(StrictSerializer):
    class Meta:
        list_serializer_class = PlainLines

    product = ProductReferenceField()
    quantity = WholeNumberField(min_value=1, max_value=MAX_QUANTITY)

    def plain(self, line: dict[str, Any]) -> dict[str, Any] | None:
        product: Any = line.get("product")
        quantity = line.get("quantity")
        is_plain = is_plain_reference(product) and is_plain_number(quantity, at_most=MAX_QUANTITY)
        return {"product": reference(product), "quantity": quantity} if is_plain else None


class CustomerSerializer(StrictSerializer):
    email = EmailField()
    name = NameField(max_length=255)


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{2}$", "description": "ISO 3166: two capital letters."})
class CountryField(NameField):
    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        if not re.fullmatch("[A-Z]{2}", code):
            self.fail("invalid")
        return code


class AddressSerializer(StrictSerializer):
    name = NameField(max_length=255)
    line1 = NameField(max_length=255)
    line2 = NameField(max_length=255, required=False)
    city = NameField(max_length=255)
    region = NameField(max_length=255, required=False)
    postal_code = NameField(max_length=32)
    country = CountryField()
    phone = NameField(max_length=32, required=False)


class HoldField(WholeNumberField):
    """Seconds in JSON, a timedelta here."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=int(MAX_HOLD.total_seconds()), **options)

    def run_validation(self, data: Any = empty) -> Any:
        return timedelta(seconds=super().run_validation(data))


@extend_schema_field(
    {"type": "object", "maxProperties": MAX_METADATA, "additionalProperties": {"type": "string", "maxLength": 500}}
)
class MetadataField(serializers.DictField):
    child = ParagraphField(max_length=500, allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and len(data) > MAX_METADATA:
            raise serializers.ValidationError(f"At most {MAX_METADATA} entries.")
        if isinstance(data, dict) and any(not WELL_FORMED_NAME.fullmatch(name) for name in data):
            raise serializers.ValidationError("A key is 1 to 64 letters, digits, _ or -.")
        return super().to_internal_value(data)


class NewOrderSerializer(StrictSerializer):
    items = LineSerializer(many=True, allow_empty=False, max_length=MAX_LINES)  # type: ignore[call-arg]
    customer = CustomerSerializer(required=False)
    ship_to = AddressSerializer(required=False, help_text="Its units wait on the shelf until it is shipped there.")
    reference = NameField(max_length=255, required=False, help_text="Your own number for it.")
    metadata = MetadataField(required=False, help_text="Up to 50 strings of your own.")
    hold = HoldField(required=False, help_text="Hold the units for so many seconds, until it is completed.")
    expected_total = MoneyField(
        min_value=Decimal("0.01"), max_value=MAX_TOTAL, required=False, help_text="Refuse it at any other total."
    )


class CancelSerializer(StrictSerializer):
    items = LineSerializer(many=True, allow_empty=False, max_length=MAX_LINES, required=False)  # type: ignore[call-arg]
    reason = NameField(max_length=1000, required=False)
    restock = StrictBooleanField(default=True, help_text="False: the units are written off.")


class ShipSerializer(StrictSerializer):
    carrier = NameField(max_length=100, required=False)
    number = NameField(max_length=100, required=False, help_text="The tracking number.")
    url = serializers.URLField(
        max_length=2000, required=False, trim_whitespace=False, help_text="Where the parcel can be followed."
    )


class ExtendSerializer(StrictSerializer):
    hold = HoldField(help_text="Seconds from now.")


class NewNoteSerializer(StrictSerializer):
    note = ParagraphField(max_length=2000)


class OrderParametersSerializer(serializers.Serializer[Any]):
    dry_run = FlagField(default=False, help_text="Check it, and place nothing.")


# API v1: what is answered


class ItemSerializer(serializers.Serializer[Any]):
    product = serializers.UUIDField(source="product_uuid")
    sku = serializers.CharField(help_text="As it was when the order was placed, like the name and the price.")
    product_name = serializers.CharField()
    quantity = serializers.IntegerField()
    cancelled_quantity = serializers.IntegerField()
    price_at_time = MoneyField()
    subtotal = MoneyField()

    def to_representation(self, item: Any) -> dict[str, Any]:
        return {
            "product": str(item.product_uuid),
            "sku": item.sku,
            "product_name": item.product_name,
            "quantity": item.quantity,
            "cancelled_quantity": item.cancelled_quantity,
            "price_at_time": f"{item.price_at_time:.2f}",
            "subtotal": f"{item.subtotal:.2f}",
        }


class TrackingSerializer(serializers.Serializer[Any]):
    carrier = serializers.CharField(required=False)
    number = serializers.CharField(required=False)
    url = serializers.CharField(required=False)


class OrderSerializer(serializers.Serializer[Order]):
    id = serializers.UUIDField(source="uuid")
    number = serializers.IntegerField(source="pk", help_text="The `id` of the classic API. Numbers may have gaps.")
    status = serializers.ChoiceField(choices=Order.Status.choices)
    currency = serializers.CharField()
    items = ItemSerializer(many=True, source="lines")
    total_price = MoneyField(help_text="As placed.")
    current_total = MoneyField(help_text="What cancellations left of it.")
    customer = serializers.SerializerMethodField()
    ship_to = AddressSerializer(allow_null=True)
    shipped_at = serializers.DateTimeField(allow_null=True)
    tracking = TrackingSerializer(allow_null=True)
    reference = serializers.CharField()
    metadata = serializers.DictField(child=serializers.CharField())
    hold_expires_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    cancel_reason = serializers.CharField()
    updated_at = serializers.DateTimeField()

    @extend_schema_field(CustomerSerializer(allow_null=True))
    def get_customer(self, order: Order) -> dict[str, str] | None:
        if not order.customer_email and not order.customer_name:
            return None
        return {"email": order.customer_email, "name": order.customer_name}

    def to_representation(self, order: Order) -> dict[str, Any]:
        return {
            "id": str(order.uuid),
            "number": order.pk,
            "status": str(order.status),
            "currency": order.currency,
            "items": shown_each(ItemSerializer, order.lines),
            "total_price": f"{order.total_price:.2f}",
            "current_total": f"{order.current_total:.2f}",
            "customer": self.get_customer(order),
            "ship_to": shown(AddressSerializer, order.ship_to) if order.ship_to else None,
            "shipped_at": time_shown(order.shipped_at),
            "tracking": shown(TrackingSerializer, order.tracking) if order.tracking else None,
            "reference": order.reference,
            "metadata": order.metadata,
            "hold_expires_at": time_shown(order.hold_expires_at),
            "created_at": time_shown(order.created_at),
            "completed_at": time_shown(order.completed_at),
            "cancelled_at": time_shown(order.cancelled_at),
            "cancel_reason": order.cancel_reason,
            "updated_at": time_shown(order.updated_at),
        }


class QuoteSerializer(serializers.Serializer[Quote]):
    """What an order would come to now."""

    dry_run = serializers.SerializerMethodField()
    as_of = serializers.DateTimeField()
    currency = serializers.SerializerMethodField()
    items = ItemSerializer(many=True)
    total_price = MoneyField()

    def get_dry_run(self, quote: Quote) -> bool:
        return True

    def get_currency(self, quote: Quote) -> str:
        return str(settings.SHOP_CURRENCY)


class EventSerializer(serializers.Serializer[OrderEvent]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=OrderEvent.Kind.choices)
    old_status = serializers.CharField(help_text="Empty where the order was placed.")
    new_status = serializers.ChoiceField(choices=Order.Status.choices)
    done_by = serializers.CharField()
    request_id = serializers.CharField()
    data = serializers.DictField(  # type: ignore[assignment]
        help_text="Of a cancellation `quantities`: units by product number."
    )
    created_at = serializers.DateTimeField()
