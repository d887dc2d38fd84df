import logging

import pytest
from django.core.cache import caches
from django.db import connection, transaction
from django.test import Client, TransactionTestCase

# Made by `migrate` for every test alike.
KEPT = {"django_content_type", "auth_permission"}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """After a test with real transactions its rows are deleted. Django would truncate every table, which takes 100 ms.

    Like TRUNCATE, the lock waits for whoever still writes. A replica fires no triggers: no foreign keys, nothing that
    is append-only. Only a superuser may be one; another user has it the slow way.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser') = 'on'")
        [may_be_replica] = cursor.fetchone()
        tables = sorted(
            set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT
        )
    empty = "; ".join(
        [
            "SET LOCAL session_replication_role = replica",
            f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE",
            *(f"DELETE FROM {table}" for table in tables),
        ]
    )

    def empty_tables(_case: TransactionTestCase) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(empty)

    with pytest.MonkeyPatch.context() as patch:
        if may_be_replica:
            patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "ecommerce.oauth.ClientSecretHasher",
    ]


@pytest.fixture(autouse=True)
def _nobody_has_called_yet(settings):
    settings.CACHES = {"default": settings.IN_PROCESS, "in_process": settings.IN_PROCESS}
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
    return client


@pytest.fixture
def lines(caplog):
    """What was logged since the last look: events by name, with their fields."""
    caplog.set_level(logging.INFO)

    def look() -> list[dict]:
        found = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
        caplog.clear()
        return found

    return look
