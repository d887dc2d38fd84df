"""The tables that a shop moves in from, read in one snapshot and never changed."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import groupby
from typing import LiteralString, NamedTuple

import psycopg
from django.db import connection as shop
from django.db import transaction
from psycopg.rows import args_row

INTEGERS = {"int2", "int4", "int8"}
NUMBERS = INTEGERS | {"float4", "float8", "numeric"}
TABLES: dict[LiteralString, dict[LiteralString, set[str]]] = {
    "products": {"id": INTEGERS, "name": set(), "description": set(), "price": NUMBERS, "stock": INTEGERS},
    "orders": {"id": INTEGERS, "total_price": NUMBERS, "status": set()},
    "order_items": {
        "id": INTEGERS,
        "order_id": INTEGERS,
        "product_id": INTEGERS,
        "quantity": INTEGERS,
        "price_at_time": NUMBERS,
        "subtotal": NUMBERS,
    },
}
PRODUCTS = "SELECT id, name, description, price, stock FROM products ORDER BY id"
ORDERS = """
    SELECT orders.id, orders.total_price, orders.status::text, item.id, item.order_id, item.product_id, item.quantity,
           item.price_at_time, item.subtotal
      FROM orders FULL JOIN order_items AS item ON item.order_id = orders.id
     ORDER BY orders.id, item.id
"""
FETCHED_AT_ONCE = 2_000
LIKE = "--from must be like postgresql://user:password@host/database."

Number = int | float | Decimal


class SourceError(Exception):
    """Why the source cannot be read, in one line."""


class ProductRow(NamedTuple):
    id: int
    name: str | None
    description: str | None
    price: Number | None
    stock: int | None


class ItemRow(NamedTuple):
    """An item beside its order. An item without an order, and an order without items, has None in the other's place."""

    order_id: int | None
    total_price: Number | None
    status: str | None
    id: int | None
    wanted_order_id: int | None
    product_id: int | None
    quantity: int | None
    price_at_time: Number | None
    subtotal: Number | None


class Source:
    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def products(self) -> Iterator[ProductRow]:
        with self.connection.cursor("moving_products", row_factory=args_row(ProductRow)) as cursor:
            cursor.itersize = FETCHED_AT_ONCE
            yield from cursor.execute(PRODUCTS)

    def orders(self) -> Iterator[tuple[int | None, Iterator[ItemRow]]]:
        """The rows of each order by its id, in the order of ids; at the end, under None, items that have no order."""
        with self.connection.cursor("moving_orders", row_factory=args_row(ItemRow)) as cursor:
            cursor.itersize = FETCHED_AT_ONCE
            yield from groupby(cursor.execute(ORDERS), key=lambda row: row.order_id)

    def unusable_ids(self) -> Iterator[str]:
        """Ids that do not tell their rows apart, or that no shop would give."""
        for table in TABLES:
            sql = (
                f"SELECT id, count(*) FROM {table} GROUP BY id HAVING count(*) > 1 OR id < 1 OR id IS NULL ORDER BY id"  # noqa: S608
            )
            for row_id, rows in self.connection.execute(sql):
                yield f"{table} {row_id}: {rows} rows have this id" if rows > 1 else f"{table} {row_id}: not an id"

    def check_columns(self) -> None:
        """Raises SourceError when a table or column is missing or holds something else."""
        for table, columns in TABLES.items():
            found = self.connection.execute(f"SELECT {', '.join(columns)} FROM {table} LIMIT 0").description or []  # noqa: S608
            for column in found:
                if (types := columns[column.name]) and column.type_code not in oids(types):
                    kind = "whole numbers" if types is INTEGERS else "numbers"
                    raise SourceError(f"The source's {table}.{column.name} holds no {kind} but {column.type_display}.")

    def is_the_shop(self) -> bool:
        """Whether both connections lead to one database, by whatever names: then they share its locks."""
        key = secrets.randbits(62)
        with transaction.atomic():
            with shop.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
            row = self.connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [key]).fetchone()
        return row == (False,)


def oids(types: set[str]) -> set[int]:
    return {psycopg.adapters.types[name].oid for name in types}


@contextmanager
def opened(url: str) -> Iterator[Source]:
    """The source at this address. Raises SourceError, also for whatever goes wrong while it is read."""
    try:
        with connect(url) as connection:
            # Between two batches it waits for the shop to write.
            connection.execute("SET idle_in_transaction_session_timeout = 0")
            source = Source(connection)
            if source.is_the_shop():
                raise SourceError("The source is the shop's own database.")
            source.check_columns()
            yield source
    except psycopg.Error as error:
        raise SourceError(f"The source cannot be read: {first_line(error)}") from error
    except UnicodeDecodeError as error:
        raise SourceError("The source holds text that is not UTF-8.") from error


def connect(url: str) -> psycopg.Connection:
    """A driver in the scheme, as in postgresql+psycopg2://, is left out."""
    address = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)
    if not address.startswith("postgresql://"):
        raise SourceError(LIKE)
    try:
        psycopg.conninfo.conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        raise SourceError(LIKE) from None  # its message would show the password
    connection = psycopg.connect(address, connect_timeout=10, client_encoding="utf8")
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def first_line(error: psycopg.Error) -> str:
    message = error.diag.message_primary or str(error)
    return message.strip().splitlines()[0] if message.strip() else type(error).__name__
