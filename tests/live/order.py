"""A program on a client by openapi-python-client: order.py ADDRESS CLIENT_ID SECRET"""

import json
import sys

from shop_client import AuthenticatedClient, Client
from shop_client.api.orders import create_order, list_orders
from shop_client.api.products import create_product
from shop_client.api.tokens import get_token
from shop_client.models import (
    LineRequest,
    NewOrderRequest,
    NewProductRequest,
    Order,
    PaginatedOrderList,
    Problem,
    ProblemCode,
    Product,
    Token,
    TokenRequest,
    TokenRequestGrantType,
)

address, client_id, secret = sys.argv[1:]

wanted_token = TokenRequest(
    grant_type=TokenRequestGrantType.CLIENT_CREDENTIALS, client_id=client_id, client_secret=secret
)
token = get_token.sync(client=Client(address), body=wanted_token)
assert isinstance(token, Token)
shop = AuthenticatedClient(address, token=token.access_token, raise_on_unexpected_status=True)

lamp = create_product.sync(client=shop, body=NewProductRequest(sku="PYTHON-LAMP", name="Lamp", price="19.99", stock=5))
assert isinstance(lamp, Product)

two = NewOrderRequest(items=[LineRequest(product=lamp.sku, quantity=2)], expected_total="39.98")
placed = create_order.sync_detailed(client=shop, body=two, idempotency_key="python-1")
replayed = create_order.sync_detailed(client=shop, body=two, idempotency_key="python-1")
assert (placed.status_code, replayed.status_code) == (201, 200)
assert replayed.headers["Idempotent-Replayed"] == "true"
assert isinstance(placed.parsed, Order)
assert isinstance(replayed.parsed, Order)

ten = NewOrderRequest(items=[LineRequest(product=str(lamp.id), quantity=10)])
refused = create_order.sync(client=shop, body=ten, idempotency_key="python-2")
assert isinstance(refused, Problem)
assert refused.code is ProblemCode.INSUFFICIENT_STOCK
[shortage] = refused.shortages
assert isinstance(refused.corrected, NewOrderRequest)
corrected = create_order.sync(client=shop, body=refused.corrected, idempotency_key="python-3")
assert isinstance(corrected, Order)

found = list_orders.sync(client=shop, product=lamp.sku)
assert isinstance(found, PaginatedOrderList)

print(
    json.dumps(
        {
            "placed": str(placed.parsed.id),
            "replayed": str(replayed.parsed.id),
            "refused": {
                "code": refused.code.value,
                "status": refused.status,
                "wanted": shortage.wanted,
                "available": shortage.available,
            },
            "corrected": str(corrected.id),
            "found": [str(order.id) for order in found.results],
        }
    )
)
