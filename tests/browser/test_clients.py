import pytest
from playwright.sync_api import Page, expect

from ecommerce.models import Client
from tests.test_clients import new_client

PHONE = {"width": 390, "height": 900}


def width_of(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth")


def test_a_client_is_made_on_a_phone_and_its_secret_fits_and_is_copied(go, page: Page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.set_viewport_size(PHONE)

    go("/admin/ecommerce/client/add/")
    page.fill("[name=name]", "webshop")
    page.check("[name=scopes][value='orders:write']")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator("#client-id")).to_have_text(Client.objects.get().client_id)
    secret = page.locator("#client-secret")
    assert len(secret.inner_text()) == 128
    assert width_of(page) == 390
    assert (
        secret.evaluate("code => code.getBoundingClientRect().right") < 390
    )  # and is not cut off by what is around it

    page.get_by_role("button", name="Copy").last.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret.inner_text()


@pytest.mark.parametrize("path", ["", "{pk}/change/"])
def test_the_widest_id_fits_a_phone(go, page: Page, path):
    new_client("orders:read")
    Client.objects.update(client_id="W" * 40)
    page.set_viewport_size(PHONE)

    go("/admin/ecommerce/client/" + path.format(pk=Client.objects.get().pk))

    expect(page.get_by_text("W" * 40)).to_be_visible()
    assert width_of(page) == 390
