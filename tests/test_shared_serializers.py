"""What the hot calls check and show by a shorter way is what their serializers declare."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import orjson
import pytest
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer as Plain

from catalog.listing import classic_products
from catalog.models import Product
from catalog.serializers import ClassicProductSerializer, ProductSerializer
from ecommerce.api.renderers import JSONRenderer
from ecommerce.api.shared import shown, validated
from orders.models import Order
from orders.serializers import ClassicNewOrderSerializer, ClassicOrderSerializer, NewOrderSerializer, OrderSerializer
from orders.services import ship_order
from tests.factories import ADDRESS, ProductFactory, place


def as_declared(shape, row):
    """What its fields make of it, one by one."""
    serializer = shape()
    for field in serializer.fields.values():
        if isinstance(field, serializers.ListSerializer):
            field.child.to_representation = lambda item, child=field.child: serializers.Serializer.to_representation(
                child, item
            )
    return dict(serializers.Serializer.to_representation(serializer, row))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"hold": timedelta(hours=1), "reference": "PO-1", "metadata": {"a": "b"}},
        {"ship_to": ADDRESS | {"phone": "1"}, "customer": {"email": "ada@example.com", "name": "Ada"}},
    ],
)
def test_an_order_is_shown_as_its_fields_declare_it(options):
    lamp, ink = ProductFactory(price=Decimal("0.10")), ProductFactory(price=Decimal("9999999999.99"))
    placed = place({lamp: 3, ink: 1}, **options)
    if "ship_to" in options:
        ship_order(placed.order.pk, done_by="staff:1", tracking={"carrier": "DHL"})

    read = Order.objects.with_lines().get()

    assert shown(ClassicOrderSerializer, placed) == as_declared(ClassicOrderSerializer, placed)
    for order in (placed.order, read):
        assert shown(OrderSerializer, order) == as_declared(OrderSerializer, order)


@pytest.mark.django_db(transaction=True)
def test_a_product_is_shown_as_its_fields_declare_it():
    for number in (1, 2):
        ProductFactory(price=Decimal("9999999999.99") / number, stock=number)

    for product in Product.objects.as_shown():
        assert shown(ProductSerializer, product) == as_declared(ProductSerializer, product)
    listed = [as_declared(ClassicProductSerializer, product) for product in Product.objects.with_stock().order_by("pk")]
    assert classic_products(skip=0, limit=10) == listed
    assert classic_products(skip=1, limit=10) == listed[1:]


GOOD, UUID = {"product_id": 7, "quantity": 2}, str(uuid4())
CLASSIC_LINES = [
    GOOD,
    {"product_id": "7", "quantity": 2},
    {"product_id": 7, "quantity": 2, "colour": "red"},
    {"product_id": 0, "quantity": 2},
    {"product_id": True, "quantity": 2},
    {"product_id": 2**63, "quantity": 2},
    {"product_id": 7, "quantity": 1_000_001},
    {"product_id": 7, "quantity": 2.5},
    {"product_id": 7},
    {"quantity": 2, "colour": "red"},
    [7, 2],
    None,
]
LINES = [
    {"product": UUID, "quantity": 2},
    {"product": UUID.upper(), "quantity": 2},
    {"product": "LAMP-1", "quantity": 2},
    {"product": " LAMP", "quantity": 2},
    {"product": "灯", "quantity": 2},
    {"product": "\u202elamp", "quantity": 2},
    {"product": "L" * 65, "quantity": 2},
    {"product": "", "quantity": 2},
    {"product": "LAMP-1\n", "quantity": 2},
    {"product": 7, "quantity": 2},
    {"product": "LAMP-1", "quantity": "2"},
    {"product": "LAMP-1", "quantity": 2, "colour": "red"},
    {"product": "LAMP-1"},
    "LAMP-1",
]


@pytest.mark.parametrize(
    ("shape", "field", "line"),
    [(ClassicNewOrderSerializer, "products", line) for line in CLASSIC_LINES]
    + [(NewOrderSerializer, "items", line) for line in LINES],
)
def test_a_line_that_is_taken_at_a_glance_is_what_its_fields_would_make_of_it(shape, field, line, monkeypatch):
    def outcome():
        try:
            return validated(shape, {field: [line, line]})
        except serializers.ValidationError as error:
            return error.get_full_details()

    at_a_glance = outcome()
    monkeypatch.setattr(
        "orders.serializers.PlainLines.run_child_validation", serializers.ListSerializer.run_child_validation
    )

    assert outcome() == at_a_glance


def test_json_is_what_it_was_but_for_its_maker():
    data = {
        "text": 'é "灯" \\ \n',
        "number": 2**53,
        "price": 19.99,
        "amount": Decimal("19.90"),
        "id": uuid4(),
        "none": None,
        "list": [True, {}],
    }

    assert orjson.loads(JSONRenderer().render(data)) == orjson.loads(Plain().render(data))
    assert JSONRenderer().render(None) == b""
