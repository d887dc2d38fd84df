"""Rules of a table that the database itself keeps."""

from typing import Any

from django.db.models import BooleanField, Func


class IsOneOf(Func):
    """Whether these columns, with a space between, make one of `rows`.

    PostgreSQL reads the conditions of a table anew for each statement that writes to it. So this is one constant; an
    `IN`, or an OR of conditions, has a constant for each of its words, and took longer to read than its row to write.
    """

    template = "(%(expressions)s) = ANY ('{%(rows)s}'::text[])"
    arg_joiner = " || ' ' || "

    def __init__(self, *columns: Any, rows: str, **options: Any) -> None:
        super().__init__(*columns, rows=rows, output_field=BooleanField(), **options)


def rows_of(*rows: str) -> str:
    return ",".join(f'"{row}"' for row in rows)
