"""Statements of the order path: PostgreSQL parses and plans each once for a connection, and nobody builds it anew.

Everything else goes through Django's cursors, which send values as part of the text. So the generic plans that the
settings force on prepared statements (`plan_cache_mode`) are these statements' alone, and no filtered list suffers.
Behind a pooler nothing is prepared, and they are statements like all others.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from psycopg.types.numeric import Int8

server_binding_cursor: Any = ServerBindingCursor


def fetch(sql: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows that a statement answers. Whole numbers among the values should be an `Int8`, or in an `array`."""
    database: Any = connection  # typed without what is particular to PostgreSQL
    database.ensure_connection()
    with database._prepare_cursor(server_binding_cursor(database.connection)) as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def number(value: int) -> Int8:
    """Of one width, since psycopg gives a number the narrowest type and each type a statement of its own."""
    return Int8(value)


def array(words: Iterable[object]) -> str:
    """Numbers, or words without a sign that PostgreSQL's arrays give a meaning."""
    return "{" + ",".join(map(str, words)) + "}"
