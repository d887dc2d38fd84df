"""What became of a product's fields, written with every write of them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import DecimalField

from catalog.models import Product, ProductChange
from catalog.services.stock import Cause
from ecommerce.logging import current_request_id

Kind = ProductChange.Kind
COLUMNS = [field.attname for field in Product._meta.concrete_fields if field.editable and not field.primary_key]


def as_recorded(value: Any) -> Any:
    """A value of a product as its history has it. Money is text, since JSON's numbers are not."""
    return f"{value:.2f}" if isinstance(value, Decimal) else value


def recorded(name: str, value: str) -> str:
    """The same in SQL, of an expression for this column."""
    is_money = isinstance(Product._meta.get_field(name), DecimalField)
    return f"to_jsonb({value}::text)" if is_money else f"to_jsonb({value})"


CREATED = ", ".join(
    f"'{column}', jsonb_build_array(NULL, {recorded(column, f'product.{column}')})" for column in COLUMNS
)
RECORD_CREATED = f"""
    INSERT INTO catalog_productchange (product_id, version, kind, changes, done_by, note, request_id)
    SELECT product.id, product.version, '{Kind.CREATED}', jsonb_build_object({CREATED}), %s, %s, %s
      FROM catalog_product AS product WHERE product.id = ANY(%s) ORDER BY product.id
"""  # noqa: S608 - of the names of columns


def record_created(product_ids: list[int], *, cause: Cause) -> None:
    """The first row of many a history, as the products are in the database."""
    with connection.cursor() as cursor:
        cursor.execute(RECORD_CREATED, [cause.done_by, cause.note, current_request_id(), product_ids])


def fields_of(product: Product) -> dict[str, Any]:
    return {column: is_now(product, column) for column in COLUMNS}


def made_different(product: Product, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the wanted values that the product does not have already."""
    return {name: value for name, value in wanted.items() if becomes(name, value) != is_now(product, name)}


def column_of(name: str) -> str:
    """A group is written as `group` or `group_id`, and recorded as the column: `books.sql` compares the two."""
    return str(Product._meta.get_field(name).attname)  # type: ignore[union-attr]


def becomes(name: str, value: Any) -> Any:
    return as_recorded(Product._meta.get_field(name).to_python(value))  # type: ignore[union-attr]


def is_now(product: Product, name: str) -> Any:
    return becomes(name, Product._meta.get_field(name).value_from_object(product))  # type: ignore[union-attr]


def created(product: Product, *, cause: Cause) -> ProductChange:
    changes = {name: [None, value] for name, value in fields_of(product).items()}
    return row(product, Kind.CREATED, changes, version=product.version, cause=cause)


def changed(product: Product, new: Mapping[str, Any], *, cause: Cause) -> ProductChange:
    """`product` as it was before."""
    changes = {column_of(name): [is_now(product, name), becomes(name, value)] for name, value in new.items()}
    return row(product, Kind.CHANGED, changes, version=product.version + 1, cause=cause)


def deleted(product: Product, *, cause: Cause) -> ProductChange:
    changes = {name: [value, None] for name, value in fields_of(product).items()}
    return row(product, Kind.DELETED, changes, version=product.version + 1, cause=cause)


def row(
    product: Product, kind: ProductChange.Kind, changes: Mapping[str, list[Any]], *, version: int, cause: Cause
) -> ProductChange:
    return ProductChange(
        product_id=product.pk,
        version=version,
        kind=kind,
        changes=changes,
        done_by=cause.done_by,
        note=cause.note,
        request_id=current_request_id(),
    )
