"""The one statement that places an order: its lines and its first event, the counters of its stock and their ledger."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS

from catalog.services import Cause, changes_to_take, values_to_move, words_to_move
from ecommerce import prepared
from orders.lines import PricedItem
from orders.models import Order

# Columns that are not named have their default of the database.
PLACE_ORDER = """
    WITH placed AS (
        INSERT INTO orders_order (uuid, status, total_price, current_total, currency, customer_email, customer_name,
                    ship_to, reference, metadata, placed_by, idempotency_key, fingerprint, cancel_reason, version,
                    hold_expires_at, completed_at)
        VALUES (%(uuid)s, %(status)s, %(total_price)s, %(current_total)s, %(currency)s, %(customer_email)s,
                %(customer_name)s, %(ship_to)s::jsonb, %(reference)s, %(metadata)s::jsonb, %(placed_by)s,
                %(idempotency_key)s, %(order_fingerprint)s, '', 1, statement_timestamp() + %(hold)s::interval,
                CASE WHEN %(hold)s::interval IS NULL THEN statement_timestamp() END)
     RETURNING id, created_at
    ), lines AS (
        INSERT INTO orders_orderitem (order_id, product_id, sku, product_name, quantity, cancelled_quantity,
                    price_at_time, subtotal)
        SELECT placed.id, line.product_id, sku, product_name, quantity, 0, price_at_time, subtotal
          FROM placed, json_to_recordset(%(lines)s) AS line (product_id bigint, sku text, product_name text,
               quantity integer, price_at_time numeric, subtotal numeric)
    ), event AS (
        INSERT INTO orders_orderevent (order_id, kind, old_status, new_status, done_by, request_id, data)
        SELECT id, 'placed', '', %(status)s, %(placed_by)s, %(request_id)s, '{{}}' FROM placed
    ), {move_stock}
    SELECT id, created_at FROM placed
"""


FIELDS = [field.attname for field in Order._meta.concrete_fields]


def write(
    columns: Mapping[str, Any], items: list[PricedItem], quantities: Mapping[int, int], *, hold: timedelta | None
) -> Order:
    """The new order, with its id and its times: all the same, by the database's clock, which deadlines go by. The units
    of each product id are taken once it is there. Nothing may follow in the transaction: it is committed with this.

    Raises IntegrityError where the key of the order is taken (`order_key_used_once`), or where there are not that many
    units any more (`stock_available_not_negative`).
    """
    cause = Cause(done_by=columns["placed_by"], order_uuid=columns["uuid"])
    waits_on_the_shelf = hold is not None or columns["ship_to"] is not None
    moves = values_to_move(changes_to_take(quantities, committed=waits_on_the_shelf), cause=cause)
    written = {
        "ship_to": None if columns["ship_to"] is None else json.dumps(columns["ship_to"]),
        "metadata": json.dumps(columns["metadata"]),
        "order_fingerprint": columns["fingerprint"],
        "hold": hold,
        "lines": orjson.dumps([line_of(item) for item in items]).decode(),
    }
    sql = PLACE_ORDER.format(move_stock=words_to_move(after="placed"))
    [(pk, now)] = prepared.fetch(sql, {**columns, **moves, **written}, commit=True)
    times = {
        "created_at": now,
        "updated_at": now,
        "completed_at": now if hold is None else None,
        "hold_expires_at": None if hold is None else now + hold,
    }
    known = {**columns, **times, "id": pk, "version": 1, "cancel_reason": ""}
    return Order.from_db(DEFAULT_DB_ALIAS, FIELDS, [known.get(name) for name in FIELDS])


def line_of(item: PricedItem) -> dict[str, Any]:
    return {
        "product_id": item.product_id,
        "sku": item.sku,
        "product_name": item.product_name,
        "quantity": item.quantity,
        "price_at_time": str(item.price_at_time),
        "subtotal": str(item.subtotal),
    }
