import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connection

LOCK = 0x5A0B
PATIENCE_SECONDS = 300


class Command(migrate.Command):
    """Django's migrate, for one process at a time: instances that start together take turns."""

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DATABASE_POOLER:
            raise CommandError(
                "A lock that outlives a transaction does not pass a pooler:"
                " migrate with DATABASE_POOLER=0 and a DATABASE_URL that leads to PostgreSQL itself."
            )
        with connection.cursor() as cursor:
            for _ in range(PATIENCE_SECONDS):
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
                if cursor.fetchone() == (True,):
                    break
                time.sleep(1)
            else:
                raise CommandError(f"Another process has been migrating for {PATIENCE_SECONDS} seconds.")
            try:
                super().handle(*args, **options)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
