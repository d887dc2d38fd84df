"""API clients in the back office."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from ecommerce.models import Client
from orders.models import Order
from tests.factories import ProductFactory
from tests.test_classic_api import PRODUCTS, order
from tests.test_clients import ask_token, bearer, new_client

LIST, ADD = reverse("admin:ecommerce_client_changelist"), reverse("admin:ecommerce_client_add")
FORM = {"name": "webshop", "scopes": ["catalog:read", "orders:write"], "requests_per_second": "7"}


@pytest.fixture(autouse=True)
def _closed(settings):
    settings.API_OPEN, settings.TOKEN_MEMORY = "none", timedelta(0)


def page(client: Client, name: str = "change") -> str:
    return reverse(f"admin:ecommerce_client_{name}", args=[client.pk])


def credentials_in(answer) -> tuple[str, str]:
    text = answer.content.decode()
    return tuple(re.search(rf'id="{part}">([^<]+)<', text)[1] for part in ("client-id", "client-secret"))


def test_one_is_made_with_its_scopes_and_its_secret_is_shown_once(staff, api):
    client_id, secret = credentials_in(staff.post(ADD, FORM))

    client = Client.objects.get()
    assert (client.name, client.client_id, client.scopes) == ("webshop", client_id, "catalog:read orders:write")
    assert (client.requests_per_second, client.is_active) == (7, True)
    assert ask_token(api, client_id, secret).json()["scope"] == "catalog:read orders:write"
    for place in (page(client), LIST):
        assert secret not in staff.get(place).content.decode()
    assert secret not in Client.objects.get().client_secret


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"scopes": []}, {"scopes": ["everything"]}, {"requests_per_second": "-1"}]
)
def test_bad_forms_make_none(staff, wrong):
    assert staff.post(ADD, FORM | wrong).status_code == 200
    assert not Client.objects.exists()


def test_no_two_have_one_name(staff):
    staff.post(ADD, FORM)

    assert "already exists" in staff.post(ADD, FORM).content.decode()
    assert Client.objects.count() == 1


def test_scopes_are_changed_and_the_secret_stays(staff, api):
    headers = bearer(api, "catalog:read")
    client = Client.objects.get()

    staff.post(page(client), FORM | {"name": client.name, "scopes": ["orders:write"], "is_active": "on"})

    assert Client.objects.get().scopes == "orders:write"
    assert Client.objects.get().client_secret == client.client_secret
    assert api.get(PRODUCTS, headers=headers).status_code == 403


def test_a_new_secret_ends_the_old_one_and_its_tokens(staff, api):
    client_id, secret = new_client("catalog:read")
    headers = {"Authorization": f"Bearer {ask_token(api, client_id, secret).json()['access_token']}"}
    client = Client.objects.get()
    assert api.get(PRODUCTS, headers=headers).status_code == 200

    assert f'href="{page(client, "change")}"' in staff.get(page(client, "rotate")).content.decode()
    assert api.get(PRODUCTS, headers=headers).status_code == 200
    same_id, new_secret = credentials_in(staff.post(page(client, "rotate")))

    assert (same_id, new_secret != secret) == (client_id, True)
    assert api.get(PRODUCTS, headers=headers).status_code == 401
    assert [ask_token(api, client_id, one).status_code for one in (secret, new_secret)] == [401, 200]


def test_who_is_deactivated_is_out_and_back_when_active_again(staff, api):
    client_id, secret = new_client("catalog:read")
    headers = {"Authorization": f"Bearer {ask_token(api, client_id, secret).json()['access_token']}"}
    client = Client.objects.get()
    form = {"name": client.name, "scopes": ["catalog:read"], "requests_per_second": ""}

    staff.post(page(client), form)
    assert (api.get(PRODUCTS, headers=headers).status_code, ask_token(api, client_id, secret).status_code) == (401, 401)

    staff.post(page(client), form | {"is_active": "on"})
    assert (api.get(PRODUCTS, headers=headers).status_code, ask_token(api, client_id, secret).status_code) == (200, 200)


def test_one_that_is_deleted_leaves_its_orders(staff, api):
    headers = bearer(api, "orders:write")
    assert order(api, (ProductFactory(), 1), **headers).status_code == 201
    client = Client.objects.get()

    assert staff.post(page(client, "delete"), {"post": "yes"}).status_code == 302

    assert Order.objects.get().placed_by == f"app:{client.client_id}"
    assert api.get(PRODUCTS, headers=headers).status_code == 401


def test_the_time_of_the_last_token_is_shown(staff, api):
    client_id, secret = new_client("catalog:read")
    assert Client.objects.get().last_token_at is None

    ask_token(api, client_id, secret)

    assert Client.objects.get().last_token_at is not None
    assert "last token" in staff.get(LIST).content.decode().lower()
