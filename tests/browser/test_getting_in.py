from binascii import unhexlify

from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Page, expect

from tests.browser.conftest import log_in


def test_a_wrong_password_and_the_right_one(shop, page: Page, mia):
    log_in(page, shop, "wrong")
    expect(page.get_by_text("Please enter the correct username and password").first).to_be_visible()

    log_in(page, shop)
    expect(page).to_have_url(f"{shop.address}/admin/")


def test_too_many_wrong_passwords(shop, page: Page, mia):
    for _ in range(5):
        log_in(page, shop, "wrong")

    expect(page.get_by_text("Wait 15 minutes")).to_be_visible()


def test_a_second_factor_is_set_up_and_asked_for(go, shop, page: Page):
    def code(steps: int = 0) -> str:
        app = TOTP(unhexlify(TOTPDevice.objects.get().key))
        app.drift = steps
        return f"{app.token():06}"

    go("/admin/second-factor/")
    expect(page.get_by_alt_text("The secret as a QR code")).to_be_visible()
    page.fill("[name=code]", code())
    page.click("text=Turn it on")
    expect(page.locator("#backup-codes li")).to_have_count(10)
    backup = page.locator("#backup-codes li").first.inner_text()

    page.context.clear_cookies()
    log_in(page, shop)
    expect(page).to_have_url(f"{shop.address}/admin/login/code/")
    page.fill("[name=code]", "000000")
    page.click("[type=submit]")
    expect(page.get_by_text("That code is wrong")).to_be_visible()
    page.fill("[name=code]", backup)
    page.click("[type=submit]")
    expect(page).to_have_url(f"{shop.address}/admin/")


def test_a_client_is_made_and_its_secret_is_shown_once(go, page: Page):
    go("/admin/ecommerce/client/add/")
    page.fill("[name=name]", "webshop")
    page.get_by_label("Place and move orders").check()
    page.click("[name=_save]")

    secret = page.locator("#client-secret").inner_text()
    assert len(secret) == 128
    page.click("text=I have kept them")
    expect(page.get_by_text("webshop").first).to_be_visible()
    assert secret not in page.content()
