"""The fields of products in the form in which an import stores and compares them, and their writing in bulk."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection

from catalog.models import Product, ProductChange
from catalog.services.history import recorded
from catalog.services.products import names_are_free
from catalog.services.stock import Cause
from ecommerce.logging import current_request_id

Seen = tuple[int, int]  # the id of a product, and its version

# Each column that an import may write, with its type
COLUMNS = {
    "sku": "text",
    "name": "text",
    "description": "text",
    "price": "numeric(12,2)",
    "image_url": "text",
    "is_active": "boolean",
    "low_stock_at": "integer",
    "group_id": "bigint",
    "options": "jsonb",
}


def sent(name: str) -> str:
    return f"(sent.columns ->> '{name}')::{COLUMNS[name]}"


RECORDS = ", ".join(f"('{name}', {recorded(name, f'sent.{name}')}, {recorded(name, sent(name))})" for name in COLUMNS)
ASSIGNMENTS = ", ".join(
    f"{name} = CASE WHEN sent.columns ? '{name}' THEN {sent(name)} ELSE product.{name} END" for name in COLUMNS
)
# Only the columns that a row names are written; the others keep whatever they hold. What each was is read under the
# locks by the same statement: loading thousands of products to compare them would keep everybody waiting for long.
# A product that is not at the version that was seen is not written.
WRITE_COLUMNS = f"""
    WITH sent AS (
        SELECT id, version, columns::jsonb AS columns
          FROM unnest(%s::bigint[], %s::integer[], %s::text[]) AS sent (id, version, columns)),
    seen AS MATERIALIZED (
        SELECT product.*, sent.columns FROM sent JOIN catalog_product AS product USING (id, version)),
    change AS MATERIALIZED (
        SELECT sent.id, sent.version + 1 AS version, sent.columns, record.changes
          FROM seen AS sent,
               LATERAL (SELECT jsonb_object_agg(name, jsonb_build_array(old, new)) AS changes
                          FROM (VALUES {RECORDS}) AS record (name, old, new)
                         WHERE sent.columns ? name AND old IS DISTINCT FROM new) AS record
         WHERE record.changes IS NOT NULL),
    written AS (
        UPDATE catalog_product AS product SET {ASSIGNMENTS}, version = sent.version, updated_at = now()
          FROM change AS sent WHERE product.id = sent.id AND product.version = sent.version - 1),
    recorded AS (
        INSERT INTO catalog_productchange (product_id, version, kind, changes, done_by, note, request_id)
        SELECT id, version, '{ProductChange.Kind.CHANGED}', changes, %s, %s, %s FROM change ORDER BY id)
    SELECT count(*) FROM seen
"""  # noqa: S608 - of the names above


def fields_of(product: Product) -> dict[str, Any]:
    group = product.group
    return {
        "sku": product.sku,
        "name": product.name,
        "description": product.description,
        "price": f"{product.price:.2f}",
        "image_url": product.image_url,
        "is_active": product.is_active,
        "low_stock_at": product.low_stock_at,
        "handle": group.handle if group else None,
        "title": group.title if group else None,
        "options": product.options,
    }


def variant_of(fields: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Handle and values of the options: what tells a variant where there is no sku."""
    if not fields.get("handle"):
        return None
    return fields["handle"], *(value for _, value in fields.get("options") or [])


def differing(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields are now that `wanted` would change."""
    return {name: now[name] for name in now if name in wanted and not are_alike(now[name], wanted[name])}


def are_alike(one: Any, other: Any) -> bool:
    """The ends of lines and the space around a text are lost in many a spreadsheet."""
    if isinstance(one, str) and isinstance(other, str):
        return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
    return bool(one == other)


def write_columns(changes: Mapping[Seen, Mapping[str, Any]], *, cause: Cause) -> None:
    """Write these columns of each product, and its history; the caller holds the locks on their stock.

    What changes nothing writes nothing. Raises SkuTaken, VariantTaken.
    """
    ids, versions = [pk for pk, _ in changes], [version for _, version in changes]
    columns = [json.dumps(dict(change)) for change in changes.values()]
    why = [cause.done_by, cause.note, current_request_id()]
    with names_are_free(), connection.cursor() as cursor:
        cursor.execute(WRITE_COLUMNS, [ids, versions, columns, *why])
        [seen] = cursor.fetchone()
    if seen != len(changes):
        raise AssertionError("Products changed without a lock: some are not at the version that was seen.")
