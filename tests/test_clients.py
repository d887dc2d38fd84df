"""Programs that the shop knows: who they are, and what each may do."""

import io
import re
from base64 import b64encode
from datetime import timedelta

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.utils import timezone
from oauth2_provider.models import AccessToken

from ecommerce.api import authentication
from ecommerce.models import Client
from orders.models import Order
from tests.factories import ProductFactory, available
from tests.test_classic_api import LAMP, NEW_ORDER, NEW_PRODUCT, PRODUCTS, order, post

CALLS = {"catalog:read": ("get", PRODUCTS), "catalog:write": ("post", NEW_PRODUCT), "orders:write": ("post", NEW_ORDER)}


@pytest.fixture(autouse=True)
def _closed(settings):
    settings.API_OPEN = "none"


def new_client(*scopes: str, name: str = "till") -> tuple[str, str]:
    printed = io.StringIO()
    call_command("create_client", name, scopes=list(scopes), stdout=printed)
    return tuple(re.fullmatch(r"client_id +(\w+)\nclient_secret +(\w+)\n", printed.getvalue()).groups())


def ask_token(api, client_id: str, secret: str, **fields: str):
    basic = b64encode(f"{client_id}:{secret}".encode()).decode()
    return api.post(
        "/o/token/", {"grant_type": "client_credentials", **fields}, headers={"Authorization": f"Basic {basic}"}
    )


def bearer(api, *scopes: str, name: str = "till") -> dict[str, str]:
    return {"Authorization": f"Bearer {ask_token(api, *new_client(*scopes, name=name)).json()['access_token']}"}


def test_a_client_gets_a_token_for_an_hour_with_the_scopes_it_was_made_with(api):
    answer = ask_token(api, *new_client("catalog:read", "orders:write"))

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "catalog:read orders:write",
    }


def test_whoever_asks_for_an_empty_scope_asks_for_none_of_them(api):
    client = new_client("catalog:read", "orders:write")

    answer = ask_token(api, *client, scope="")

    assert (answer.status_code, answer.json()["scope"]) == (200, "catalog:read orders:write")
    assert ask_token(api, *client, scope=" catalog:write").status_code == 400


@pytest.mark.parametrize("method", ["query", "mixed"])
def test_no_secret_travels_in_an_address(api, method):
    client_id, secret = new_client("catalog:read")
    body = {"grant_type": "client_credentials"} if method == "mixed" else {}

    answer = api.post(f"/o/token/?grant_type=client_credentials&client_id={client_id}&client_secret={secret}", body)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_program_has_no_csrf_token_and_needs_none(transactional_db):
    program = Browser(enforce_csrf_checks=True)
    client = new_client("catalog:read")

    token = ask_token(program, *client).json()["access_token"]
    revoked = program.post("/o/revoke_token/", {"token": token} | as_fields(*client))

    assert revoked.status_code == 200


def test_a_client_may_ask_for_less_and_never_for_more(api):
    client = new_client("catalog:read", "orders:write")

    assert ask_token(api, *client, scope="orders:write").json()["scope"] == "orders:write"
    more = ask_token(api, *client, scope="orders:write catalog:write")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")


DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "implicit", DEVICE, "", "\x00"])
def test_no_other_grant_is_served(api, grant):
    answer = ask_token(api, *new_client("catalog:read"), grant_type=grant, username="mia", password="x", code="x")

    assert answer.status_code in (400, 401)
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("credentials", [("nobody", "x"), ("", ""), ("\x00", "\x00"), ("ü", "ü")])
def test_an_unknown_client_gets_no_token(api, credentials):
    in_header = ask_token(api, *credentials)
    in_body = api.post("/o/token/", {"grant_type": "client_credentials"} | as_fields(*credentials))
    revoking = api.post("/o/revoke_token/", {"token": "\x00"} | as_fields(*credentials))

    for answer in (in_header, in_body, revoking):
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("path", ["/o/token", "/o/revoke_token"])
def test_what_a_token_call_refuses_is_told_in_json(api, path):
    bare = api.post(path)
    other = api.get(path)

    assert (bare.status_code, bare["Content-Type"]) == (400, "application/json")
    assert bare.json()["error"] == "invalid_request"
    assert (other.status_code, other["Content-Type"], other["Allow"]) == (405, "application/problem+json", "POST")
    assert other.json()["code"] == "method_not_allowed"


def as_fields(client_id: str, secret: str) -> dict[str, str]:
    return {"client_id": client_id, "client_secret": secret}


def test_a_wrong_secret_gets_no_token(api):
    client_id, secret = new_client("catalog:read")

    assert ask_token(api, client_id, secret[:-1]).status_code == 401


def test_neither_secret_nor_token_is_stored_as_it_is(api):
    client_id, secret = new_client("catalog:read")
    token = ask_token(api, client_id, secret).json()["access_token"]

    assert Client.objects.get().client_secret.startswith("client_secret$1$")
    assert token not in str(AccessToken.objects.values().get())
    assert secret not in str(Client.objects.values().get())


def test_an_order_of_a_client_is_its_own(api):
    lamp = ProductFactory()
    till, web = bearer(api, "orders:write"), bearer(api, "orders:write", name="web")

    first = order(api, (lamp, 1), **{"Idempotency-Key": "k-1"}, **till)
    second = order(api, (lamp, 1), **{"Idempotency-Key": "k-1"}, **web)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
    clients = dict(Client.objects.values_list("name", "client_id"))
    assert list(Order.objects.order_by("pk").values_list("placed_by", flat=True)) == [
        f"app:{clients['till']}",
        f"app:{clients['web']}",
    ]


@pytest.mark.parametrize("held", CALLS)
@pytest.mark.parametrize("needed", CALLS)
def test_a_token_opens_the_calls_of_its_scope_and_no_others(api, held, needed):
    method, path = CALLS[needed]

    answer = getattr(api, method)(path, headers=bearer(api, held), content_type="application/json")

    if held == needed:
        assert answer.status_code in (200, 422)
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert answer.json()["scope"] == needed
        assert answer.json()["detail"] == f"The access token lacks the scope {needed}."
        assert answer["WWW-Authenticate"] == f'Bearer realm="api", error="insufficient_scope", scope="{needed}"'


@pytest.mark.parametrize("token", ["nonsense", "", "\x00", "ü", "a b", "x" * 5000])
def test_a_token_that_is_none_is_refused_even_where_anybody_may_call(api, settings, token):
    settings.API_OPEN = "all"

    answer = api.get(PRODUCTS, headers={"Authorization": f"Bearer {token}".strip()})

    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")
    assert answer["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'


def test_who_sends_no_token_is_asked_for_one_and_accused_of_nothing(api):
    answer = api.get(PRODUCTS)

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="api"')


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer\tx", "Basic eDp5", "x"])
def test_whoever_means_to_be_somebody_never_becomes_anybody(api, settings, header):
    settings.API_OPEN = "all"

    assert api.get(PRODUCTS, headers={"Authorization": header}).status_code == 401


def test_a_bad_token_is_refused_before_the_body_is_looked_at(api):
    answer = post(api, NEW_PRODUCT, b"{", Authorization="Bearer nonsense")

    assert answer.status_code == 401


def test_a_scope_that_is_taken_away_is_gone_at_once(api):
    headers = bearer(api, "catalog:read", "orders:write")

    Client.objects.update(scopes="orders:write")

    assert api.get(PRODUCTS, headers=headers).status_code == 403


def test_staff_cut_a_client_off(staff, api):
    headers = bearer(api, "catalog:read")
    client = Client.objects.get()

    answer = staff.post(f"/admin/ecommerce/client/{client.pk}/delete/", {"post": "yes"}, follow=True)

    assert (answer.status_code, Client.objects.count(), AccessToken.objects.count()) == (200, 0, 0)
    assert api.get(PRODUCTS, headers=headers).status_code == 401


@pytest.mark.parametrize("change", [{"scopes": "orders:everything"}, {"name": "web"}])
def test_staff_cannot_save_a_scope_that_is_none_or_a_name_twice(staff, change):
    new_client("catalog:read", name="web")
    new_client("catalog:read")
    till = Client.objects.get(name="till")

    answer = staff.post(f"/admin/ecommerce/client/{till.pk}/change/", {"name": "till", "scopes": ""} | change)

    assert (answer.status_code, Client.objects.get(pk=till.pk).scopes) == (200, "catalog:read")
    assert "errorlist" in answer.content.decode()


@pytest.mark.parametrize("path", ["/o/token/", "/o/revoke_token/"])
def test_the_token_calls_answer_strange_headers_and_a_busy_database(api, path):
    fields = {"grant_type": "client_credentials", "token": "x", "client_id": "x", "client_secret": "x"}

    odd = api.post(path, fields, headers={"Authorization": "Basic \xfc"})
    assert odd.status_code == 401

    def fail(*_):
        raise OperationalError from psycopg.OperationalError("gone")

    with connection.execute_wrapper(fail):
        away = api.post(path, fields)
    assert (away.status_code, away.json()["code"], away["Retry-After"]) == (503, "unavailable", "1")


def test_a_token_works_for_its_time_and_until_it_is_revoked(api):
    client = new_client("catalog:read")
    token = ask_token(api, *client).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert api.get(PRODUCTS, headers=headers).status_code == 200

    api.post("/o/revoke_token/", {"token": token, "client_id": client[0], "client_secret": client[1]})
    assert api.get(PRODUCTS, headers=headers).status_code == 401

    late = {"Authorization": f"Bearer {ask_token(api, *client).json()['access_token']}"}
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert api.get(PRODUCTS, headers=late).status_code == 401


def test_a_process_remembers_a_token_for_ten_seconds_and_asks_again_then(api, settings, monkeypatch):
    settings.TOKEN_MEMORY = timedelta(seconds=10)
    now = [1_000.0]
    monkeypatch.setattr("ecommerce.api.authentication.time.monotonic", lambda: now[0])
    headers = bearer(api, "catalog:read")
    assert api.get(PRODUCTS, headers=headers).status_code == 200
    AccessToken.objects.all().delete()

    with CaptureQueriesContext(connection) as queries:
        now[0] += 9.9
        assert api.get(PRODUCTS, headers=headers).status_code == 200
    assert not [query for query in queries if "accesstoken" in query["sql"]]

    now[0] += 0.2
    assert api.get(PRODUCTS, headers=headers).status_code == 401


def test_a_token_is_not_remembered_beyond_its_time(api, settings, monkeypatch):
    settings.TOKEN_MEMORY = timedelta(seconds=10)
    now = [1_000.0]
    monkeypatch.setattr("ecommerce.api.authentication.time.monotonic", lambda: now[0])
    headers = bearer(api, "catalog:read")
    AccessToken.objects.update(expires=timezone.now() + timedelta(seconds=2))
    assert api.get(PRODUCTS, headers=headers).status_code == 200
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))

    now[0] += 2.1

    assert api.get(PRODUCTS, headers=headers).status_code == 401


def test_remembers_so_many_tokens_and_no_more(api, settings, monkeypatch):
    settings.TOKEN_MEMORY = timedelta(seconds=10)
    monkeypatch.setattr(authentication, "KNOWN_AT_MOST", 2)
    for number in range(5):
        headers = bearer(api, "catalog:read", name=f"till {number}")
        assert api.get(PRODUCTS, headers=headers).status_code == 200

    assert len(authentication.remembered) <= 2


def test_a_token_travels_in_the_header_only(api):
    token = ask_token(api, *new_client("catalog:read", "catalog:write")).json()["access_token"]

    assert api.get(f"{PRODUCTS}?access_token={token}").status_code == 401
    assert post(api, NEW_PRODUCT, LAMP | {"access_token": token}).status_code == 401
    assert api.post(NEW_PRODUCT, {"access_token": token}).status_code == 401


def test_a_client_that_is_gone_is_nobody(api):
    headers = bearer(api, "catalog:read")

    Client.objects.all().delete()

    assert api.get(PRODUCTS, headers=headers).status_code == 401


@pytest.mark.django_db
def test_a_name_and_a_scope_are_checked():
    new_client("catalog:read")

    with pytest.raises(CommandError, match="There is a client of this name"):
        new_client("catalog:read")
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("create_client", "other", "--scopes", "catalog:everything")
    for rate in ("-1", "x", "1.5", "1000001"):
        with pytest.raises(CommandError, match="invalid rate value"):
            call_command("create_client", "other", "--scopes", "catalog:read", "--rate", rate)

    assert Client.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("arguments", "rate"), [([], None), (["--rate", "0"], 0), (["--rate", "250"], 250)])
def test_a_client_is_made_with_a_rate_of_its_own(arguments, rate):
    call_command("create_client", "till", "--scopes", "catalog:read", *arguments, stdout=io.StringIO())

    assert Client.objects.get().requests_per_second == rate


OPEN_TO_ALL = {"", "health", "health/", "openapi.json", "docs", "redoc", "problems/<slug:code>", "admin"}
OF_CLIENTS_ONLY = {"o/token", "o/token/", "o/revoke_token", "o/revoke_token/"}


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options", "head"])
def test_every_route_that_is_not_named_here_is_closed_to_strangers(client, settings, method):
    settings.ADDRESS_RATE_LIMIT = 0
    routes = [str(route.pattern) for route in get_resolver().url_patterns]
    assert set(routes) > OPEN_TO_ALL | OF_CLIENTS_ONLY

    of_viewsets = {route for route in routes if route.startswith(("api/", "product/", "order/"))}  # test_access.py
    for route in set(routes) - of_viewsets - OPEN_TO_ALL - {"admin/", "admin/login/"}:
        answer = getattr(client, method)(f"/{route}")
        assert answer.status_code in (400, 401, 405), (method, route)


def test_the_stock_is_untouched_by_a_client_that_may_not(api):
    lamp = ProductFactory()

    assert order(api, (lamp, 1), **bearer(api, "catalog:write")).status_code == 403
    assert (available(lamp), Order.objects.count()) == (10, 0)


def test_staff_see_the_clients_and_no_tokens(staff, api):
    ask_token(api, *new_client("catalog:read"))
    client = Client.objects.get()

    index = staff.get("/admin/").content.decode()
    page = staff.get(f"/admin/ecommerce/client/{client.pk}/change/").content.decode()

    assert "/admin/ecommerce/client/" in index
    assert "accesstoken" not in index
    assert client.client_id in page
    assert "client_secret" not in page
    assert staff.get("/admin/oauth2_provider/accesstoken/").status_code == 403
