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

    def __init__(self, *columns: Any, rows: list[str], **options: Any) -> None:
        words = ",".join(f'"{row}"' for row in rows)
        super().__init__(*columns, rows=words, output_field=BooleanField(), **options)
