"""Calls of API v1, as a program sends them."""

import json
from itertools import count

PRODUCTS, STOCK, ORDERS = "/api/v1/products/", "/api/v1/stock/", "/api/v1/orders/"
new_keys = (f"key-{number}" for number in count())


def send(api, method, path, body, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body)
    return api.generic(method, path, content, content_type="application/json", headers=headers)


def patch(api, path, body, **headers):
    return send(api, "PATCH", path, body, **headers)


def with_key(api, path, body, *, key=None, **headers):
    """Under a key of its own, unless one is given."""
    return send(api, "POST", path, body, **{"Idempotency-Key": key or next(new_keys), **headers})


def product_url(product) -> str:
    return f"{PRODUCTS}{product.uuid}/"


def order_url(order, move="") -> str:
    uuid = order.json()["id"] if hasattr(order, "json") else order.uuid
    return f"{ORDERS}{uuid}/{move and move + '/'}"
