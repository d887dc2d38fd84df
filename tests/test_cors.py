"""Which pages of other origins a browser lets call the API."""

import pytest

from tests.test_classic_api import NEW_ORDER, PRODUCTS

SHOP, STRANGER = "https://www.example.com", "https://evil.example"
ALLOWED = "Access-Control-Allow-Origin"


@pytest.fixture(autouse=True)
def _one_origin(settings):
    settings.API_OPEN = "none"
    settings.CORS_ALLOW_ALL_ORIGINS, settings.CORS_ALLOWED_ORIGINS = False, [SHOP]


def preflight(api, path: str, origin: str):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "idempotency-key"}
    return api.options(path, headers={"Origin": origin} | asked)


def as_set(value: str) -> set[str]:
    return {item.strip() for item in value.split(",")}


def test_a_preflight_is_answered_without_a_token(client):
    answer = preflight(client, NEW_ORDER, SHOP)

    assert (answer.status_code, answer[ALLOWED]) == (200, SHOP)
    assert "Access-Control-Allow-Credentials" not in answer
    assert {"POST", "PATCH", "DELETE"} <= as_set(answer["Access-Control-Allow-Methods"])
    assert as_set(answer["Access-Control-Allow-Headers"]) == {
        "accept",
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "user-agent",
        "x-csrftoken",
        "x-request-id",
        "x-requested-with",
    }


def test_a_page_reads_an_answer_and_its_headers_also_of_a_refusal(client, db):
    answer = client.get(PRODUCTS, headers={"Origin": SHOP})

    assert (answer.status_code, answer[ALLOWED], answer["Vary"]) == (401, SHOP, "origin")
    assert as_set(answer["Access-Control-Expose-Headers"]) == {
        "ETag",
        "Idempotent-Replayed",
        "Link",
        "Location",
        "RateLimit",
        "RateLimit-Policy",
        "Retry-After",
        "WWW-Authenticate",
        "X-Request-ID",
    }


@pytest.mark.parametrize("origin", [STRANGER, "null", "https://www.example.com.evil.example", "nonsense"])
def test_another_origin_is_not_let_in(client, db, origin):
    assert ALLOWED not in preflight(client, NEW_ORDER, origin)
    assert ALLOWED not in client.get(PRODUCTS, headers={"Origin": origin})


@pytest.mark.parametrize("path", ["/api/v1/products/", PRODUCTS, NEW_ORDER, "/o/token/", "/openapi.json"])
def test_the_api_is_for_pages(client, path):
    assert preflight(client, path, SHOP)[ALLOWED] == SHOP


@pytest.mark.parametrize("path", ["/", "/admin/", "/admin/login/", "/docs", "/health", "/openapi.json/x", "/x/api/"])
def test_the_rest_is_not(client, db, path):
    assert ALLOWED not in preflight(client, path, SHOP)


def test_where_no_origin_is_let_in_no_answer_varies_by_it(client, db, settings):
    settings.CORS_ALLOWED_ORIGINS = []

    answer = client.get(PRODUCTS, headers={"Origin": SHOP})

    assert (answer.status_code, ALLOWED in answer, "Vary" in answer) == (401, False, False)
    assert ALLOWED not in preflight(client, NEW_ORDER, SHOP)


def test_a_developers_machine_lets_every_origin_in_without_credentials(client, db, settings):
    settings.CORS_ALLOW_ALL_ORIGINS = True

    answer = client.get(PRODUCTS, headers={"Origin": STRANGER})

    assert answer[ALLOWED] == "*"
    assert "Access-Control-Allow-Credentials" not in answer
