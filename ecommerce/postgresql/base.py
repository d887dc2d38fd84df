"""Django's PostgreSQL, but a connection from the pool is looked at without a word to the server.

Django's own check (`CONN_HEALTH_CHECKS`) is a statement more for each request, which took a tenth of an order's time.
"""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        while self.pool and not is_alive(connection):
            self.pool.putconn(connection)  # which puts another in its place
            connection = self.pool.getconn()
        return connection


def is_alive(connection: psycopg.Connection[Any]) -> bool:
    """A server that has ended a session said so or hung up, and then there is something to read."""
    try:
        if is_readable(connection.fileno()):
            ConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        return False
    return True


def is_readable(file: int) -> bool:
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(0))
