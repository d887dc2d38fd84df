"""The statements that place an order. One finds the products, prices the lines and writes the order with them and with
its first event, one locks its stock, one changes that and keeps the ledger. Or they write and lock nothing."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS

from catalog.models import COLUMN_OF, Reference, make_uuid
from catalog.offers import Offer
from catalog.services import MOVE_STOCK, Cause, values_of, words_to_lock
from ecommerce import prepared
from orders.lines import PricedItem
from orders.models import MAX_QUANTITY, MAX_TOTAL, Order, OrderItem
from orders.services.pricing import TYPE_OF
from orders.services.requests import OrderRequest, Placed

# `basket` is empty where the rules of orders.services.pricing refuse the order, which then say why.
# Columns that are not named have their default of the database.
PLACE_ORDER = """
    WITH found AS (
        SELECT product.id AS product_id, uuid, sku, name, quantity, price, quantity * price AS subtotal, available,
               place
          FROM unnest(%(names)s::{type}[], %(quantities)s::bigint[]) WITH ORDINALITY AS line (named, quantity, place)
          JOIN catalog_product AS product ON product.{column} = line.named AND is_active
          JOIN catalog_stock AS stock ON stock.product_id = product.id
    ), basket AS (
        SELECT sum(subtotal) AS total
          FROM found
        HAVING count(*) = cardinality(%(names)s::{type}[])
           AND bool_and(available >= quantity)
           AND max(quantity) <= {max_quantity}
           AND sum(subtotal) <= {max_total}
           AND sum(subtotal) = coalesce(%(expected_total)s::numeric, sum(subtotal))
    ), placed AS (
        INSERT INTO orders_order (uuid, status, total_price, current_total, currency, customer_email, customer_name,
                    ship_to, reference, metadata, placed_by, idempotency_key, fingerprint, cancel_reason, version,
                    hold_expires_at, completed_at)
        SELECT %(order_uuid)s, %(status)s, total, total, %(currency)s, %(customer_email)s, %(customer_name)s,
               %(ship_to)s::jsonb, %(reference)s, %(metadata)s::jsonb, %(placed_by)s, %(idempotency_key)s,
               %(order_fingerprint)s, '', 1, statement_timestamp() + %(hold)s::interval,
               CASE WHEN %(hold)s::interval IS NULL THEN statement_timestamp() END
          FROM basket
     RETURNING id, created_at, total_price
    ), lines AS (
        INSERT INTO orders_orderitem (order_id, product_id, sku, product_name, quantity, cancelled_quantity,
                    price_at_time, subtotal)
        SELECT id, product_id, sku, name, quantity, 0, price, subtotal FROM placed, found ORDER BY place
    ), event AS (
        INSERT INTO orders_orderevent (order_id, kind, old_status, new_status, done_by, request_id, data)
        SELECT id, 'placed', '', %(status)s, %(placed_by)s, %(request_id)s, '{{}}' FROM placed
    )
    SELECT product_id, uuid, sku, name, quantity, price, subtotal, available, id, created_at, total_price
      FROM found LEFT JOIN placed ON place = 1
     ORDER BY place
"""
# The lock is apart: a statement that has waited for a row prepares its whole plan again, with the row in its hands.
ITS_LINES = """
    FROM orders_orderitem WHERE order_id = (SELECT id FROM orders_order WHERE uuid = %(order_uuid)s)
"""
TAKE_STOCK = """
    WITH change AS (
        SELECT product_id, -quantity::bigint AS available,
               CASE WHEN %(waits)s THEN quantity ELSE 0 END::bigint AS committed, 'ordered' AS kind, '' AS note,
               id AS place
          {its_lines}
    ), {move_stock}
    SELECT FROM moved
"""


@lru_cache
def words_to_place(kind: type) -> str:
    """The statements for an order whose lines name products in this way."""
    find_and_write = PLACE_ORDER.format(
        column=COLUMN_OF[kind], type=TYPE_OF[kind], max_quantity=MAX_QUANTITY, max_total=MAX_TOTAL
    )
    lock = words_to_lock(f"SELECT product_id {ITS_LINES}")
    take = TAKE_STOCK.format(its_lines=ITS_LINES, move_stock=MOVE_STOCK)
    return prepared.THEN.join([find_and_write, lock, take])


class Row(NamedTuple):
    """A line as it was found. The first has the order too, if that was placed."""

    product_id: int
    product_uuid: UUID
    sku: str
    product_name: str
    quantity: int
    price: Decimal
    subtotal: Decimal
    available: int
    order_id: int | None
    placed_at: datetime
    total: Decimal

    @property
    def offer(self) -> Offer:
        return Offer(self.product_id, self.product_uuid, self.sku, self.product_name, self.price, self.available)


def write(request: OrderRequest, wanted: Mapping[Reference, int]) -> tuple[Placed | None, list[Offer]]:
    """The order with these units of each product, which are named in one way. Or none, where they are not all on sale
    and there, or something else is wrong, which what was found of them tells; then nothing was locked.

    Nothing may follow in the transaction: it is committed with this. Raises IntegrityError where the key of the order
    is taken (`order_key_used_once`), or where there are not that many units any more (`stock_available_not_negative`).
    """
    columns = columns_of(request)
    kind: type = type(next(iter(wanted)))
    values = values_to_place(request, wanted, columns)
    rows = prepared.fetch(words_to_place(kind), values, commit=True)
    first = Row._make(rows[0]) if rows else None
    if first is None or first.order_id is None:
        return None, [Row._make(row).offer for row in rows]
    items = [PricedItem(*row[:7]) for row in rows]
    order = order_of(columns, first, hold=request.hold)
    order.lines = cast("list[OrderItem]", items)  # which say the same
    return Placed(order=order, items=items), []


def columns_of(request: OrderRequest) -> dict[str, Any]:
    return {
        "uuid": make_uuid(),
        "status": "completed" if request.hold is None else "pending",
        "currency": settings.SHOP_CURRENCY,
        "customer_email": request.customer.get("email", ""),
        "customer_name": request.customer.get("name", ""),
        "ship_to": request.ship_to,
        "reference": request.reference,
        "metadata": request.metadata,
        "placed_by": request.placed_by,
        "idempotency_key": request.key,
        "fingerprint": request.fingerprint if request.key is not None else "",
    }


def values_to_place(
    request: OrderRequest, wanted: Mapping[Reference, int], columns: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        **columns,
        **values_of(Cause(done_by=request.placed_by)),
        "order_uuid": columns["uuid"].hex,  # read thrice, and words are dumped at less cost
        "names": prepared.texts(map(str, wanted)),
        "quantities": prepared.array(wanted.values()),
        "expected_total": request.expected_total,
        "ship_to": None if request.ship_to is None else json.dumps(request.ship_to),
        "metadata": json.dumps(request.metadata),
        "order_fingerprint": columns["fingerprint"],
        "hold": request.hold,
        "waits": request.hold is not None or request.ship_to is not None,  # on the shelf
    }


FIELDS = [field.attname for field in Order._meta.concrete_fields]


def order_of(columns: Mapping[str, Any], row: Row, *, hold: timedelta | None) -> Order:
    """All its times are the same, by the database's clock, which deadlines go by."""
    known = {
        **columns,
        "id": row.order_id,
        "total_price": row.total,
        "current_total": row.total,
        "version": 1,
        "cancel_reason": "",
        "created_at": row.placed_at,
        "updated_at": row.placed_at,
        "completed_at": row.placed_at if hold is None else None,
        "hold_expires_at": None if hold is None else row.placed_at + hold,
    }
    return Order.from_db(DEFAULT_DB_ALIAS, FIELDS, [known.get(name) for name in FIELDS])
