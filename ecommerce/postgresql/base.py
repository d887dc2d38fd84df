"""Django's PostgreSQL, with two things done at less cost.

A connection that is kept is looked at without a word to the server: Django's own check is a statement more for each
request, which took a tenth of an order's time. And a time is read by what Python has for it.

Who waits for a server on another machine says so before (`ecommerce.waiting`).
"""

import select
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg.adapt import Loader

from ecommerce.waiting import about_to_wait


class TimeLoader(Loader):
    """Django's takes the text apart by a regular expression, twenty times as slowly; a page of a list has 200 times."""

    timezone = UTC  # to a connection in another zone Django gives its own loader

    def load(self, data: Any) -> datetime:
        try:
            return datetime.fromisoformat(str(data, "ascii"))
        except ValueError as error:
            raise psycopg.DataError("a time that Python has no word for") from error


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        params["context"].adapters.register_loader("timestamptz", TimeLoader)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection: Any = super().get_new_connection(conn_params)
        if settings.DATABASE_POOLER or is_elsewhere(connection.info.hostaddr):  # what is behind a pooler, nobody knows
            connection.wait = announced(connection.wait)
        return connection

    def is_usable(self) -> bool:
        """A server that has ended a session said so or hung up, and then there is something to read."""
        if self.connection is None:
            return False
        try:
            silent = not is_readable(self.connection.fileno())
        except psycopg.OperationalError:
            return False
        return silent or bool(super().is_usable())


def is_readable(file: int) -> bool:
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(0))


def is_elsewhere(address: str) -> bool:
    """Whether a server works on processors that are not ours. It has no address where its socket is a file."""
    return bool(address) and not ip_address(address).is_loopback


def announced(wait: Callable[..., Any]) -> Callable[..., Any]:
    def announced_wait(*arguments: Any, **options: Any) -> Any:
        about_to_wait()
        return wait(*arguments, **options)

    return announced_wait
