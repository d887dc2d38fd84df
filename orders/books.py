"""Proof that the shop's books balance: the invariants of books.sql, asked in one snapshot of the database."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction

from ecommerce.database import take_time

INVARIANTS: dict[str, str] = dict(
    re.findall(r"^-- name: (\w+)\n(.+?;)$", Path(__file__).with_name("books.sql").read_text(), re.DOTALL | re.MULTILINE)
)


@dataclass(frozen=True)
class Fault:
    invariant: str
    what: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}: {self.detail}"


def check_books() -> list[Fault]:
    """Every row that breaks an invariant; none when the books balance. Locks nothing."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        take_time()
        return list(find_faults())


def find_faults() -> Iterator[Fault]:
    with connection.cursor() as cursor:
        for invariant, sql in INVARIANTS.items():
            cursor.execute(sql)
            for what, detail in cursor.fetchall():
                yield Fault(invariant, what, detail)
