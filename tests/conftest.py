import logging

import pytest
from django.core.cache import caches
from django.test import Client


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
