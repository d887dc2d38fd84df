import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import caches
from django.db import connection, transaction
from django.test import Client, TransactionTestCase
from structlog.testing import capture_logs

from ecommerce.api.authentication import remembered
from ecommerce.logging import add_request_id
from tests.environment import ROOT, clean_environment
from tests.serving import GUNICORN, Shop, free_port, server_environment, wait_for

# Made by `migrate`, and no test's to change.
KEPT = {"django_content_type", "auth_permission"}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """After a test with real transactions its rows are deleted, and what `migrate` made is put back: Django would
    truncate every table, in 100 ms.

    Like TRUNCATE, the lock waits for whoever still writes. A replica fires no triggers: no foreign keys, nothing that
    is append-only. Only a superuser may be one; another user has it the slow way.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser') = 'on'")
        [may_be_replica] = cursor.fetchone()
        tables = sorted(
            set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT
        )
        filled = [table for table in tables if has_rows(cursor, table)]
        cursor.execute("CREATE SCHEMA IF NOT EXISTS as_migrated")
        for table in filled:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS as_migrated.{table} AS TABLE {table}")
    empty = "; ".join(
        [
            "SET LOCAL session_replication_role = replica",
            f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE",
            *(f"DELETE FROM {table}" for table in tables),
            *(f"INSERT INTO {table} TABLE as_migrated.{table}" for table in filled),
        ]
    )

    def empty_tables(_case: TransactionTestCase) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(empty)

    with pytest.MonkeyPatch.context() as patch:
        if may_be_replica:
            patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


def has_rows(cursor, table: str) -> bool:
    cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")
    return cursor.fetchone()[0]


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "ecommerce.oauth.ClientSecretHasher",
    ]


@pytest.fixture(autouse=True)
def _nobody_has_called_yet(settings):
    remembered.clear()
    settings.TOKEN_MEMORY = timedelta(0)
    settings.CACHES = settings.CACHES | {"shared": settings.IN_PROCESS}
    caches["in_process"].clear()


@pytest.fixture(autouse=True)
def _static_files_when_asked_for(settings):
    """Every test client is a server that starts, and would look at all of them."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture
def api(transactional_db) -> Client:
    """A program that calls the API; a fault of ours is an answer for it, as in production."""
    return Client(raise_request_exception=False)


@pytest.fixture
def staff(transactional_db, django_user_model) -> Client:
    """A browser in which an owner has logged in."""
    client = Client(raise_request_exception=False)
    client.force_login(django_user_model.objects.create_superuser("mia", "mia@example.com", "a long password"))
    client.get("/admin/password_change/")  # from here on, the session is not written for a while
    return client


@pytest.fixture
def lines():
    """What was logged since the last look: events by name, with their fields."""
    with capture_logs(processors=[add_request_id]) as captured:

        def look() -> list[dict]:
            found = captured[:]
            captured.clear()
            return found

        yield look


@pytest.fixture(scope="session")
def static_files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v0"]
    subprocess.run(command, cwd=ROOT, check=True, env=clean_environment() | {"STATIC_ROOT": str(folder)})
    return folder


@pytest.fixture
def serve(transactional_db, static_files, tmp_path):
    """Start the server with these variables on top of safe ones; what it printed is in `output`."""
    servers, shops = [], []

    def start(**variables: str) -> Shop:
        port = free_port()
        environment = server_environment(STATIC_ROOT=str(static_files), PORT=str(port), **variables)
        with (tmp_path / "output").open("w") as output:
            servers.append(subprocess.Popen(GUNICORN, cwd=ROOT, env=environment, stdout=output, stderr=output))
        shops.append(Shop(port))
        return wait_for(shops[-1])

    yield start
    # Connections are closed afterwards: a gunicorn that is told to end while it takes note of that may lock itself up.
    for server in servers:
        server.send_signal(signal.SIGINT)  # at once; SIGTERM would wait two seconds for what may still come
        assert server.wait(timeout=20) == 0
    for shop in shops:
        shop.http.clear()
