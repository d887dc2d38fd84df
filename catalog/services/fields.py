"""The fields of products in the form in which an import stores and compares them, and their writing in bulk."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection

from catalog.models import Product, ProductChange
from catalog.services import history
from catalog.services.importing import BATCH
from catalog.services.products import names_are_free
from catalog.services.stock import Cause

# Each field that an import may write, with the type of its column
COLUMNS = {
    "sku": "text",
    "name": "text",
    "description": "text",
    "price": "numeric",
    "image_url": "text",
    "is_active": "boolean",
    "low_stock_at": "integer",
    "group": "bigint",
    "options": "jsonb",
}


def assignment(name: str, kind: str) -> str:
    column = Product._meta.get_field(name).column  # type: ignore[union-attr]
    return (
        f"{column} = CASE WHEN change.columns ? '{name}' THEN (change.columns ->> '{name}')::{kind}"
        f" ELSE product.{column} END"
    )


# Only the columns that a row names are written; the others keep whatever they hold.
UPDATE_PRODUCTS = f"""
    UPDATE catalog_product AS product
       SET {", ".join(assignment(name, kind) for name, kind in COLUMNS.items())},
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


def write_columns(changes: Mapping[int, Mapping[str, Any]], *, cause: Cause) -> None:
    """Write these columns of each product, and its history; the caller holds the locks on their stock.

    Raises SkuTaken, VariantTaken.
    """
    products = Product.objects.in_bulk(changes)
    new = {pk: history.made_different(products[pk], changes[pk]) for pk in sorted(changes)}
    if not (new := {pk: columns for pk, columns in new.items() if columns}):
        return
    columns = [json.dumps(dict(change)) for change in new.values()]
    with names_are_free(), connection.cursor() as cursor:
        cursor.execute(UPDATE_PRODUCTS, [list(new), columns])
        if cursor.rowcount != len(new):
            raise AssertionError("Products vanished under the locks on their stock.")
    written = [history.changed(products[pk], change, cause=cause) for pk, change in new.items()]
    ProductChange.objects.bulk_create(written, batch_size=BATCH)
