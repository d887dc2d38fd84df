"""A session of staff ends with the password, and after eight hours without a use."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from ecommerce.staff import sessions
from tests.test_classic_api import PRODUCTS

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = {"username": "mia", "password": "a long password"}


@pytest.fixture(autouse=True)
def mia(transactional_db, settings) -> User:
    settings.API_OPEN = "none"
    return User.objects.create_superuser("mia", "mia@example.com", "a long password")


def logged_in() -> Client:
    browser = Client()
    browser.post("/admin/login/", PASSWORD)
    return browser


def hours_left() -> float:
    return (Session.objects.get().expire_date - timezone.now()) / timedelta(hours=1)


def test_it_ends_eight_hours_after_its_last_use():
    browser = logged_in()
    assert 7.9 < hours_left() <= 8

    Session.objects.update(expire_date=timezone.now())
    assert browser.get("/admin/").status_code == 302


def test_a_use_prolongs_it_and_is_written_once_in_five_minutes(monkeypatch):
    browser = logged_in()
    browser.get("/admin/")
    Session.objects.update(expire_date=timezone.now() + timedelta(hours=1))

    assert browser.get("/admin/").cookies.get("sessionid") is None
    assert hours_left() < 1.1

    monkeypatch.setattr(sessions, "SECONDS_BETWEEN_WRITES", -1)
    assert browser.get(PRODUCTS).cookies["sessionid"]["max-age"] == 8 * 3600
    assert hours_left() > 7.9


def test_whoever_has_none_gets_none():
    for page in ("/", "/admin/login/", PRODUCTS, "/docs"):
        assert "sessionid" not in Client().get(page).cookies
    assert not Session.objects.exists()


def test_a_new_password_ends_the_other_sessions():
    here, there = logged_in(), logged_in()
    form = {"old_password": "a long password", "new_password1": "another pass phrase"}

    here.post("/admin/password_change/", form | {"new_password2": "another pass phrase"})

    assert [browser.get("/admin/").status_code for browser in (here, there)] == [200, 302]
    assert there.get(PRODUCTS).status_code == 401
