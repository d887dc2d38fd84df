"""The one statement that writes an order, its lines and its first event."""

import json
from datetime import timedelta
from typing import Any

from ecommerce import prepared
from ecommerce.logging import current_request_id
from orders.models import Order, OrderEvent, OrderItem

# Columns that are not named have their default of the database.
INSERT_ORDER = """
    WITH placed AS (
        INSERT INTO orders_order (uuid, status, total_price, current_total, currency, customer_email, customer_name,
                    ship_to, reference, metadata, placed_by, idempotency_key, fingerprint, cancel_reason, version,
                    hold_expires_at, completed_at)
        VALUES (%(uuid)s, %(status)s, %(total_price)s, %(total_price)s, %(currency)s, %(customer_email)s,
                %(customer_name)s, %(ship_to)s::jsonb, %(reference)s, %(metadata)s::jsonb, %(placed_by)s,
                %(idempotency_key)s, %(fingerprint)s, '', 1, statement_timestamp() + %(hold)s::interval,
                CASE WHEN %(hold)s::interval IS NULL THEN statement_timestamp() END)
     RETURNING id, created_at
    ), lines AS (
        INSERT INTO orders_orderitem (order_id, product_id, sku, product_name, quantity, cancelled_quantity,
                    price_at_time, subtotal)
        SELECT placed.id, line.product_id, sku, product_name, quantity, 0, price_at_time, subtotal
          FROM placed, json_to_recordset(%(lines)s) AS line (product_id bigint, sku text, product_name text,
               quantity integer, price_at_time numeric, subtotal numeric)
     RETURNING id
    ), event AS (
        INSERT INTO orders_orderevent (order_id, kind, old_status, new_status, done_by, request_id, data)
        SELECT id, %(kind)s, '', %(status)s, %(placed_by)s, %(request_id)s, '{}' FROM placed
    )
    SELECT id, created_at, ARRAY(SELECT id FROM lines ORDER BY id) FROM placed
"""


def insert(order: Order, items: list[OrderItem], *, hold: timedelta | None) -> None:
    """Both come new, and get their ids and times: all the same, by the database's clock, which deadlines go by.

    Raises IntegrityError where the key of the order is taken.
    """
    lines = json.dumps([line_of(item) for item in items])
    [row] = prepared.fetch(INSERT_ORDER, columns_of(order) | {"hold": hold, "lines": lines})
    order.pk, order.created_at, ids = row
    order.updated_at = order.created_at
    order.completed_at = order.created_at if hold is None else None
    order.hold_expires_at = None if hold is None else order.created_at + hold
    order._state.adding = False
    for item, pk in zip(items, ids, strict=True):
        item.pk, item.order = pk, order
        item._state.adding = False


def columns_of(order: Order) -> dict[str, Any]:
    return {
        "uuid": order.uuid,
        "status": str(order.status),
        "total_price": order.total_price,
        "currency": order.currency,
        "customer_email": order.customer_email,
        "customer_name": order.customer_name,
        "ship_to": None if order.ship_to is None else json.dumps(order.ship_to),
        "reference": order.reference,
        "metadata": json.dumps(order.metadata),
        "placed_by": order.placed_by,
        "idempotency_key": order.idempotency_key,
        "fingerprint": order.fingerprint,
        "kind": str(OrderEvent.Kind.PLACED),
        "request_id": current_request_id(),
    }


def line_of(item: OrderItem) -> dict[str, Any]:
    return {
        "product_id": item.product_id,
        "sku": item.sku,
        "product_name": item.product_name,
        "quantity": item.quantity,
        "price_at_time": str(item.price_at_time),
        "subtotal": str(item.subtotal),
    }
