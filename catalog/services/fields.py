"""The fields of products in the form in which an import stores and compares them, and their writing in bulk."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, connection

from catalog.errors import VariantTaken
from catalog.models import Product
from catalog.services.products import sku_is_free

# Each column that an import may write, with its type
COLUMNS = {
    "sku": "text",
    "name": "text",
    "description": "text",
    "price": "numeric",
    "image_url": "text",
    "is_active": "boolean",
    "low_stock_at": "integer",
    "group_id": "bigint",
    "options": "jsonb",
}
# Only the columns that a row names are written; the others keep whatever they hold.
UPDATE_PRODUCTS = f"""
    UPDATE catalog_product AS product
       SET {
    ", ".join(
        f"{name} = CASE WHEN change.columns ? '{name}' THEN (change.columns ->> '{name}')::{kind}"
        f" ELSE product.{name} END"
        for name, kind in COLUMNS.items()
    )
},
           version = product.version + 1, updated_at = now()
      FROM unnest(%s::bigint[], %s::text[]) AS sent (id, columns),
           LATERAL (SELECT sent.id, sent.columns::jsonb AS columns) AS change
     WHERE product.id = change.id
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


@contextmanager
def names_are_free() -> Iterator[None]:
    """Somebody else may take a sku or be a variant at the same moment, so the database decides."""
    try:
        with sku_is_free():
            yield
    except IntegrityError as error:
        if "product_variant_once" not in str(error):
            raise
        raise VariantTaken from None


def write_columns(changes: Mapping[int, Mapping[str, Any]]) -> None:
    """Write these columns of each product; the caller holds the locks on their stock. Raises SkuTaken, VariantTaken."""
    if not changes:
        return
    columns = [json.dumps(dict(change)) for change in changes.values()]
    with names_are_free(), connection.cursor() as cursor:
        cursor.execute(UPDATE_PRODUCTS, [list(changes), columns])
        if cursor.rowcount != len(changes):
            raise AssertionError("Products vanished under the locks on their stock.")
