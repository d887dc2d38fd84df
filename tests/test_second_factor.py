"""The second factor: a code after the password, once set up."""

import re
from binascii import unhexlify
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp import models
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.races import race
from tests.test_classic_api import PRODUCTS
from tests.test_roles import somebody

LOGIN, CODE, PAGE = "/admin/login/", "/admin/login/code/", "/admin/second-factor/"
PASSWORD = {"username": "mia", "password": "a long password"}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Stands still, so that the next code is the one that a test asks for."""
    stopped = SimpleNamespace(now=1_800_000_000.0)
    monkeypatch.setattr(models, "time", SimpleNamespace(time=lambda: stopped.now))
    return stopped


@pytest.fixture(autouse=True)
def _closed_and_unhurried(settings):
    settings.API_OPEN, settings.ADDRESS_RATE_LIMIT = "none", 0


@pytest.fixture
def mia(transactional_db) -> User:
    return User.objects.create_superuser("mia", "mia@example.com", "a long password")


@pytest.fixture
def next_code(clock):
    def code() -> str:
        clock.now += 30
        app = TOTP(unhexlify(TOTPDevice.objects.get().key))
        app.time = clock.now
        return f"{app.token():06}"

    return code


def logged_in(**password: str) -> Client:
    browser = Client(raise_request_exception=False)
    browser.post(LOGIN, PASSWORD | password)
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/admin/").status_code == 200


def codes_in(page: str) -> list[str]:
    return re.findall(r"<li><code[^>]*>([a-z2-7]{8})<", page)


@pytest.fixture
def backup_codes(mia, next_code) -> list[str]:
    """Of mia, who has set a second factor up."""
    browser = logged_in()
    browser.get(PAGE)
    return codes_in(browser.post(PAGE, {"code": next_code()}).content.decode())


def test_it_is_set_up_with_a_code_and_gives_backup_codes_once(mia, next_code):
    browser = logged_in()
    page = browser.get(PAGE).content.decode()
    secret = re.search(r'id="secret">([A-Z2-7]{32})<', page)[1]
    assert "data:image/svg+xml" in page
    assert "backup code" not in page  # there are none yet
    assert secret in browser.get(PAGE).content.decode()

    assert "That code is wrong" in browser.post(PAGE, {"code": "000000"}).content.decode()
    assert not TOTPDevice.objects.get().confirmed
    TOTPDevice.objects.update(throttling_failure_count=0)
    codes = codes_in(browser.post(PAGE, {"code": next_code()}).content.decode())

    assert len(set(codes)) == 10
    again = browser.get(PAGE).content.decode()
    assert codes[0] not in again
    assert secret not in again
    assert is_in(browser)


def test_a_login_takes_the_password_and_the_code(backup_codes, next_code):
    browser = Client()

    answer = browser.post(f"{LOGIN}?next=/admin/orders/order/", PASSWORD)
    assert (answer["Location"], is_in(browser)) == (CODE, False)
    answer = browser.post(CODE, {"code": next_code()})

    assert (answer["Location"], is_in(browser)) == ("/admin/orders/order/", True)


def test_a_code_works_once(backup_codes, next_code):
    code = next_code()
    first, second = logged_in(), logged_in()

    assert first.post(CODE, {"code": code}).status_code == 302
    assert "That code is wrong" in second.post(CODE, {"code": code}).content.decode()
    assert (is_in(first), is_in(second)) == (True, False)


def test_a_code_works_once_at_the_same_time(backup_codes, next_code):
    code, browsers = next_code(), [logged_in() for _ in range(4)]

    statuses = race([lambda browser=browser: browser.post(CODE, {"code": code}).status_code for browser in browsers])

    assert sorted(statuses) == [200, 200, 200, 302]
    assert sum(is_in(browser) for browser in browsers) == 1


def test_a_backup_code_works_once(backup_codes):
    first, second = logged_in(), logged_in()

    assert first.post(CODE, {"code": backup_codes[0].upper()}).status_code == 302
    assert second.post(CODE, {"code": backup_codes[0]}).status_code == 200
    assert (is_in(first), is_in(second), StaticToken.objects.count()) == (True, False, 9)


def test_codes_cannot_be_guessed(backup_codes, next_code):
    """Each failure makes the next try wait, and after five of them axes lets nobody try."""
    browser = logged_in()

    tries = [browser.post(CODE, {"code": "000000"}) for _ in range(6)]
    TOTPDevice.objects.update(throttling_failure_count=0)

    assert [answer.status_code for answer in tries] == [200, 200, 200, 200, 429, 429]
    assert browser.post(CODE, {"code": next_code()}).status_code == 429
    assert Client().post(LOGIN, PASSWORD).status_code == 429
    assert not is_in(browser)


def test_a_right_code_waits_after_a_wrong_one(backup_codes, next_code, settings):
    settings.OTP_TOTP_THROTTLE_FACTOR = 60
    browser = logged_in()
    browser.post(CODE, {"code": "000000"})

    assert browser.post(CODE, {"code": next_code()}).status_code == 200


def test_the_code_page_is_for_who_gave_the_password_a_moment_ago(backup_codes, next_code, monkeypatch):
    assert Client().post(CODE, {"code": next_code()})["Location"] == LOGIN

    late = logged_in()
    monkeypatch.setattr("ecommerce.staff.login.PATIENCE_SECONDS", -1)
    assert late.post(CODE, {"code": next_code()})["Location"] == LOGIN
    assert not is_in(late)


def test_a_changed_password_ends_a_login_half_way(backup_codes, next_code):
    browser, mia = logged_in(), User.objects.get()
    mia.set_password("another long password")
    mia.save()

    assert browser.post(CODE, {"code": next_code()})["Location"] == LOGIN


def test_a_session_without_it_is_none_once_it_is_set_up(mia, next_code):
    early, browser = logged_in(), logged_in()
    browser.get(PAGE)
    browser.post(PAGE, {"code": next_code()})

    assert early.get("/admin/")["Location"].startswith(LOGIN)
    assert early.get(PRODUCTS).status_code == 401
    assert early.post(PAGE, {"code": next_code(), "remove": "1"})["Location"] == LOGIN
    assert early.get(LOGIN)["Location"] == CODE
    assert early.post(CODE, {"code": next_code()}).status_code == 302
    assert (is_in(early), early.get(PRODUCTS).status_code) == (True, 200)


def test_it_is_removed_with_a_code(backup_codes, next_code):
    browser = logged_in()
    browser.post(CODE, {"code": next_code()})

    assert browser.post(PAGE, {"code": "000000", "remove": "1"}).status_code == 200
    assert TOTPDevice.objects.exists()
    browser.post(PAGE, {"code": backup_codes[0], "remove": "1"})

    assert not TOTPDevice.objects.exists()
    assert not StaticToken.objects.exists()
    assert is_in(logged_in())


def test_new_backup_codes_replace_the_old(backup_codes, next_code):
    browser = logged_in()
    browser.post(CODE, {"code": next_code()})

    page = browser.post(PAGE, {"code": next_code()}).content.decode()

    assert set(codes_in(page)) == set(StaticToken.objects.values_list("token", flat=True))
    assert backup_codes[0] not in page


def test_where_it_is_required_everybody_sets_it_up_first(mia, settings, next_code):
    settings.REQUIRE_SECOND_FACTOR = True
    browser = logged_in()

    assert not is_in(browser)
    assert browser.get(PRODUCTS).status_code == 401
    assert browser.get("/admin/", follow=True).request["PATH_INFO"] == PAGE
    browser.post(PAGE, {"code": next_code()})

    assert (is_in(browser), browser.get(PRODUCTS).status_code) == (True, 200)


def test_an_owner_resets_that_of_another(backup_codes, lines):
    owner = Client()
    owner.force_login(somebody("root", is_superuser=True))
    page = f"/admin/auth/user/{User.objects.get(username='mia').pk}/second-factor/"

    assert "Reset the second factor of mia?" in owner.get(page).content.decode()
    assert owner.post(page).status_code == 302

    assert is_in(logged_in())
    assert [line["event"] for line in lines() if line["event"] == "second_factor_reset"] == ["second_factor_reset"]


def test_strangers_are_sent_to_the_login(api):
    assert [api.get(page)["Location"] for page in (CODE, PAGE)] == [LOGIN, LOGIN]
