"""Times as they are read from PostgreSQL."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from psycopg.types.datetime import TimestamptzLoader

from ecommerce.postgresql.base import TimeLoader


@pytest.mark.django_db
@pytest.mark.parametrize(
    "written",
    [
        "2026-11-23 09:00:00+00",
        "2026-11-23 09:00:00.1+00",
        "2026-02-28 23:59:59.999999+00",
        "2026-11-23 12:00:00.12+03",
        "1883-11-18 12:03:58-05:30",
        "0001-01-01 00:00:00+00",
        "9999-12-31 23:59:59.999999+00",
    ],
)
def test_a_time_is_read_as_psycopg_reads_it_and_in_utc(written):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [written])
        [read] = cursor.fetchone()
        [oid] = [column.type_code for column in cursor.description]

    assert isinstance(connection.connection.adapters.get_loader(oid, 0)(oid), TimeLoader)
    assert read == TimestamptzLoader(oid).load(written.encode())
    assert read.tzinfo is UTC


@pytest.mark.django_db
def test_a_connection_in_another_zone_has_the_loader_of_django(monkeypatch):
    monkeypatch.setattr(connection, "timezone", None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT '2026-11-23 09:00:00+00'::timestamptz")

        assert cursor.fetchone() == (datetime(2026, 11, 23, 9),)
