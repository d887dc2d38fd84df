"""Search by PostgreSQL's own full text: every word must be there, and each may be the beginning of one."""

import re
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import Func

WORD = re.compile(r"[^\W_]+")
MAX_WORDS = 20


class Words(Func):
    """The words of these text columns. Parts of `INK-BLUE` and `ada@example.com` are words of their own, as in a query.

    Without parameters, so that a query is written as its index is.
    """

    template = "to_tsvector('simple', regexp_replace(%(expressions)s, '[^[:alnum:]]+', ' ', 'g'))"
    arg_joiner = " || ' ' || "

    def __init__(self, *columns: str, **options: Any) -> None:
        super().__init__(*columns, output_field=SearchVectorField(), **options)


def query_of(text: str) -> SearchQuery | None:
    """None where there is no word in it. What PostgreSQL would take for an operator is no word."""
    words = WORD.findall(text)[:MAX_WORDS]
    return (
        SearchQuery(" & ".join(f"'{word}':*" for word in words), search_type="raw", config="simple") if words else None
    )
