"""Statements of the order path: PostgreSQL parses and plans each once for a connection, and nobody builds it anew.

Everything else goes through Django's cursors, which send values as part of the text. So the generic plans that the
settings force on prepared statements (`plan_cache_mode`) are these statements' alone, and no filtered list suffers.
Behind a pooler nothing is prepared, and they are statements like all others.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.base import ServerBindingCursor
from psycopg.types.numeric import Int8

FEW = 1_000
server_binding_cursor: Any = ServerBindingCursor


def fetch(sql: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows that a statement answers. Whole numbers among the values should be an `Int8`, or in an `array`."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    cursor = database._prepare_cursor(cursor_of(database.connection))
    cursor.execute(sql, values)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    if len(rows) > FEW:
        database.connection.prepared_cursor = None  # it would keep them
    return rows


def cursor_of(connection: Any) -> Any:
    """One for all statements of a connection: to make one takes as long as to use it."""
    if getattr(connection, "prepared_cursor", None) is None:
        connection.prepared_cursor = server_binding_cursor(connection)
    return connection.prepared_cursor


def number(value: int) -> Int8:
    """Of one width, since psycopg gives a number the narrowest type and each type a statement of its own."""
    return Int8(value)


def array(words: Iterable[object]) -> str:
    """Numbers, or words without a sign that PostgreSQL's arrays give a meaning."""
    return "{" + ",".join(map(str, words)) + "}"


def texts(words: Iterable[str]) -> str:
    """Any words, as PostgreSQL writes an array: psycopg's way to dump a list takes as long as a short statement."""
    return "{" + ",".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words) + "}"
