"""The database's schema and the API's."""

import io
import json
import re

import jsonschema
import pytest
from django.apps import apps
from django.core.management import call_command
from drf_spectacular.validation import validate_schema

from ecommerce.api.problems import PROBLEMS
from ecommerce.errors import DomainError
from tests.factories import ADDRESS, ProductFactory
from tests.test_classic_api import LAMP, order, post
from tests.v1 import ORDERS, PRODUCTS, STOCK, order_url, product_url, with_key


@pytest.fixture
def document(client) -> dict:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    return json.loads(answer.content)


def operations(document):
    return {(method, path): operation for path, item in document["paths"].items() for method, operation in item.items()}


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", stdout=io.StringIO())


def test_the_document_validates_without_a_warning(capfd):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")

    assert "Warning" not in capfd.readouterr().err


def test_the_document_is_openapi_3_0_3_and_names_each_path_once(document):
    validate_schema(document)
    assert document["openapi"] == "3.0.3"
    assert set(document["paths"]) == {
        "/",
        "/health",
        "/order/create_order",
        "/product/all_products",
        "/product/create_product",
        "/api/v1/products",
        "/api/v1/products/{uuid}",
        "/api/v1/products/{uuid}/movements",
        "/api/v1/stock",
        "/api/v1/orders",
        "/api/v1/orders/{uuid}",
        "/api/v1/orders/{uuid}/complete",
        "/api/v1/orders/{uuid}/cancel",
        "/api/v1/orders/{uuid}/ship",
        "/api/v1/orders/{uuid}/extend",
        "/api/v1/orders/{uuid}/notes",
        "/api/v1/orders/{uuid}/events",
        "/api/v1/requests/{key}",
        "/o/token/",
        "/o/revoke_token/",
    }


def test_every_operation_is_told_in_full(document):
    for (method, path), operation in operations(document).items():
        assert operation["summary"], (method, path)
        assert operation["operationId"], (method, path)
        if not path.endswith("/complete"):  # which says nothing
            for media in operation.get("requestBody", {}).get("content", {}).values():
                assert "examples" in media or "example" in media, (method, path)
        for status, answer in operation["responses"].items():
            is_empty = status in ("204", "304") or (path, status) == ("/o/revoke_token/", "200")
            assert ("content" in answer) != is_empty, (method, path, status)
            for media in answer.get("content", {}).values():
                assert "examples" in media or "example" in media, (method, path, status)


def test_operations_and_components_have_names_of_their_own(document):
    names = [operation["operationId"] for operation in operations(document).values()]

    assert len(names) == len(set(names))
    assert not [name for name in document["components"]["schemas"] if re.search(r"[0-9a-f]{3}Enum$", name)]


def walk(part):
    yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from walk(inner)


def test_every_closed_list_of_words_has_a_name_of_its_own(document):
    """Or a generator invents one: a name of one word is a constant, and needs none."""
    schemas = document["components"].pop("schemas")
    unnamed = [part for part in walk([document, *(list(schema.values()) for schema in schemas.values())])]

    assert [part["enum"] for part in unnamed if isinstance(part, dict) and len(part.get("enum", ())) > 1] == []
    assert {name for name, schema in schemas.items() if "enum" in schema} == {
        "ListEventsOrdering",
        "ListOrdersOrdering",
        "ListProductsIsActive",
        "ListProductsOrdering",
        "MovementKind",
        "OrderEventKind",
        "OrderStatus",
        "ProblemCode",
        "StockMoveKind",
    }


def test_every_reference_leads_somewhere(document):
    references = {part["$ref"] for part in walk(document) if isinstance(part, dict) and "$ref" in part}
    found = {f"#/components/{kind}/{name}" for kind in ("schemas", "headers") for name in document["components"][kind]}
    names = {operation["operationId"] for operation in operations(document).values()}
    linked = {
        link["operationId"]
        for operation in operations(document).values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    }

    assert references <= found
    assert linked <= names
    assert {"ship_order", "cancel_order", "read_request", "change_product"} <= linked


def test_a_body_says_what_it_would_refuse_and_an_answer_may_grow(document):
    schemas = document["components"]["schemas"]
    strict = {name for name, schema in schemas.items() if schema.get("additionalProperties") is False}

    assert strict == {
        name
        for name in schemas
        if name.endswith("Request") and not name.startswith("Classic") and name != "TokenRequest"
    }
    items = schemas["NewOrderRequest"]["properties"]["items"]
    assert (items["minItems"], items["maxItems"]) == (1, 2000)
    assert [form["type"] for form in schemas["NewProductRequest"]["properties"]["price"]["anyOf"]] == [
        "string",
        "number",
    ]
    assert schemas["Product"]["properties"]["price"]["type"] == "string"


def test_an_order_tells_its_headers(document):
    answers = document["paths"]["/api/v1/orders"]["post"]["responses"]
    headers = {status: set(answer["headers"]) - {"X-Request-ID"} for status, answer in answers.items()}

    limits = {"RateLimit", "RateLimit-Policy"}
    assert headers["201"] == limits | {"ETag", "Location"}
    assert headers["200"] == limits | {"ETag", "Idempotent-Replayed"}
    assert headers["401"] == limits | {"WWW-Authenticate"}
    assert headers["429"] == headers["503"] == limits | {"Retry-After"}


@pytest.mark.parametrize(("api_open", "open_operations"), [("none", 0), ("classic", 3), ("all", 20)])
def test_it_says_who_may_call(client, settings, api_open, open_operations):
    settings.API_OPEN = api_open
    document = json.loads(client.get("/openapi.json").content)
    assert json.loads(client.get("/openapi.json").content) == document

    ways = [
        operation["security"]
        for operation in operations(document).values()
        if "oauth2" in str(operation.get("security"))
    ]
    assert len(ways) == 20
    assert sum({} in way for way in ways) == open_operations
    assert document["paths"]["/api/v1/orders"]["get"]["security"][:2] == [{"oauth2": ["orders:read"]}, {"session": []}]
    assert document["paths"]["/api/v1/orders"]["post"]["security"][:2] == [
        {"oauth2": ["orders:write"]},
        {"session": [], "csrf": []},
    ]


@pytest.mark.parametrize("path", ["/product/all_products", "/product/create_product", "/order/create_order"])
def test_every_classic_operation_tells_its_errors(document, path):
    [operation] = document["paths"][path].values()

    assert {"401", "403", "406", "422", "503"} <= set(operation["responses"])
    problem = operation["responses"]["422"]["content"]["application/problem+json"]
    assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_the_order_operation_shows_the_classic_refusals(document):
    refusals = document["paths"]["/order/create_order"]["post"]["responses"]["400"]["content"]

    examples = refusals["application/problem+json"]["examples"]
    shown = {example["value"]["detail"] for example in examples.values()}
    assert {"Insufficient stock for product 2 : Ink", "Product with ID 999 not found"} <= shown


def as_json_schema(schema):
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type of its own."""
    if isinstance(schema, list):
        return [as_json_schema(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: as_json_schema(inner) for name, inner in schema.items() if name != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


@pytest.mark.django_db(transaction=True)
def test_a_real_answer_is_of_the_shape_that_the_document_promises(document, api):
    lamp = ProductFactory()
    line, received = {"product": lamp.sku, "quantity": 1}, {"product": lamp.sku, "kind": "received", "quantity": 1}
    sold = with_key(api, ORDERS, {"items": [line], "ship_to": ADDRESS})
    answers = {
        ("/product/all_products", "get", "200"): api.get("/product/all_products"),
        ("/product/create_product", "post", "200"): post(api, "/product/create_product", LAMP),
        ("/order/create_order", "post", "201"): order(api, (lamp, 1)),
        ("/order/create_order", "post", "400"): order(api, (lamp, 99)),
        ("/order/create_order", "post", "422"): post(api, "/order/create_order", {}),
        ("/api/v1/products", "get", "200"): api.get(PRODUCTS),
        ("/api/v1/products", "get", "422"): api.get(f"{PRODUCTS}?x=1"),
        ("/api/v1/products", "post", "201"): post(api, PRODUCTS, {"name": "Ink", "price": "4.50"}),
        ("/api/v1/products/{uuid}", "get", "200"): api.get(product_url(lamp)),
        ("/api/v1/products/{uuid}/movements", "get", "200"): api.get(f"{product_url(lamp)}movements/"),
        ("/api/v1/stock", "post", "201"): with_key(api, STOCK, {"lines": [received]}),
        ("/api/v1/stock", "post", "409"): with_key(api, STOCK, {"lines": [received | {"expected": 3}]}),
        ("/api/v1/orders", "post", "201"): sold,
        ("/api/v1/orders", "post", "200"): with_key(api, f"{ORDERS}?dry_run=true", {"items": [line]}),
        ("/api/v1/orders", "post", "409"): with_key(api, ORDERS, {"items": [line | {"quantity": 99}]}),
        ("/api/v1/orders", "get", "200"): api.get(ORDERS),
        ("/api/v1/orders/{uuid}/complete", "post", "409"): post(api, order_url(sold, "complete"), {}),
        ("/api/v1/orders/{uuid}/notes", "post", "201"): post(api, order_url(sold, "notes"), {"note": "x"}),
        ("/api/v1/orders/{uuid}/events", "get", "200"): api.get(order_url(sold, "events")),
        ("/api/v1/orders/{uuid}/cancel", "post", "200"): post(api, order_url(sold, "cancel"), {}),
    }
    for (path, method, status), answer in answers.items():
        [media] = document["paths"][path][method]["responses"][status]["content"].values()
        schema = as_json_schema(media["schema"] | {"components": document["components"]})
        assert str(answer.status_code) == status
        jsonschema.validate(answer.json(), schema)


def every_domain_error(base=DomainError):
    for error in base.__subclasses__():
        yield error
        yield from every_domain_error(error)


def test_every_domain_error_has_its_row_in_the_table_of_problems():
    codes = [error.code for error in every_domain_error()]

    assert apps.ready
    assert len(codes) >= 8
    assert set(codes) <= set(PROBLEMS)
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_documentation_is_served_from_here(client, path):
    page = client.get(path).content.decode()

    assert "/static/drf_spectacular_sidecar/" in page
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
