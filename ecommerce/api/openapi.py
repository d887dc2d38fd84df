"""The OpenAPI document as a whole: what drf-spectacular cannot find in a single view."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

from ecommerce.api.problems import MEDIA_TYPE

Document = dict[str, Any]
AMOUNT = {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$"}
HEADERS: Document = {
    "RateLimit": ("string", "What is left of the quota, and the seconds until it is whole again.", '"client";r=99;t=1'),
    "RateLimit-Policy": ("string", "The quota, and its window in seconds.", '"client";q=100;w=1'),
    "Retry-After": ("integer", "Seconds to wait before the next try.", 1),
    "WWW-Authenticate": ("string", "How to say who you are.", 'Bearer realm="api"'),
    "X-Request-ID": ("string", "Names this request in the logs.", "0f8fad5bd9cb469fa16570867728950e"),
}
HEADERS_OF_STATUS = {"401": ["WWW-Authenticate"], "429": ["Retry-After"], "503": ["Retry-After"]}


class StrictBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """What it does not know, it refuses; an answer may have more fields one day."""

    target_class = "ecommerce.api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> Document:
        schema: Document = auto_schema._map_serializer(  # type: ignore[no-untyped-call]
            self.target, direction, bypass_extensions=True
        )
        if not type(self.target).__doc__:
            schema.pop("description", None)  # that of its base, which speaks of code
        return schema | {"additionalProperties": False} if direction == "request" else schema


class BoundedList(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "rest_framework.serializers.ListSerializer"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> Document:
        schema: Document = auto_schema._map_serializer_field(  # type: ignore[no-untyped-call]
            self.target, direction, bypass_extensions=True
        )
        bounds = {"minItems": None if self.target.allow_empty else 1, "maxItems": self.target.max_length}
        return schema | {name: bound for name, bound in bounds.items() if bound}


class Money(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """It comes as a string or as a JSON number, and always goes as a string."""

    target_class = "ecommerce.api.fields.MoneyField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> Document:
        return {"anyOf": [AMOUNT, {"type": "number", "minimum": 0}]} if direction == "request" else AMOUNT


def one_path_each(endpoints: list[tuple[str, str, str, Callable[..., Any]]]) -> list[tuple[str, str, str, Any]]:
    """Paths answer with and without the final slash; the document names each once."""
    paths = {path for path, *_ in endpoints}
    return [endpoint for endpoint in endpoints if endpoint[0].removesuffix("/") not in paths - {endpoint[0]}]


def complete(result: Document, **_: Any) -> Document:
    """drf-spectacular's hook for the finished document."""
    result["paths"] |= deepcopy(TOKEN_PATHS)
    components = result["components"]
    components["schemas"] |= TOKEN_SCHEMAS
    components["headers"] = {
        name: {"description": description, "schema": {"type": kind}, "example": example}
        for name, (kind, description, example) in HEADERS.items()
    }
    add_links(result["paths"])
    for method, operation in operations(result):
        name_enums(operation, components["schemas"])
        add_headers(operation)
        add_ways_in(operation, is_read=method == "get")
    return result


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for item in document["paths"].values():
        yield from item.items()


def add_links(paths: Document) -> None:
    """From what was made to all that can be done with it."""
    for path, item in paths.items():
        collection, is_of_one, _ = path.partition("/{uuid}")
        links = paths[collection]["post"]["responses"]["201"].setdefault("links", {}) if is_of_one else {}
        for operation in item.values():
            name = operation["operationId"]
            links[name] = {"operationId": name, "parameters": {"uuid": "$response.body#/id"}}
    by_key = {"operationId": "read_request", "parameters": {"key": "$request.header.Idempotency-Key"}}
    paths["/api/v1/orders"]["post"]["responses"]["201"]["links"]["read_request"] = by_key


def name_enums(operation: Document, schemas: Document) -> None:
    """The closed list of a parameter gets a name, so that a generator need not invent one."""
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        if "enum" in schema:
            name = name_of_enum(schema["enum"], schemas) or pascal(f"{operation['operationId']}_{parameter['name']}")
            schemas.setdefault(name, {"type": schema["type"], "enum": schema["enum"]})
            reference = {"$ref": f"#/components/schemas/{name}"}
            default = {"default": schema["default"]} if "default" in schema else {}
            parameter["schema"] = {"allOf": [reference], **default} if default else reference


def name_of_enum(values: list[str], schemas: Document) -> str | None:
    return next((name for name, schema in schemas.items() if sorted(schema.get("enum", [])) == sorted(values)), None)


def pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def add_headers(operation: Document) -> None:
    limits = ["RateLimit", "RateLimit-Policy"] if operation.get("security") else []
    for status, answer in operation["responses"].items():
        names = [*HEADERS_OF_STATUS.get(status, []), *limits, "X-Request-ID"]
        references = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        answer["headers"] = answer.get("headers", {}) | references


def add_ways_in(operation: Document, *, is_read: bool) -> None:
    """Beside a token: the session of staff, and nothing at all where API_OPEN leaves it open."""
    by_token = [way for way in operation.get("security", []) if "oauth2" in way]
    if not by_token:
        return
    by_session: Document = {"session": []} if is_read else {"session": [], "csrf": []}
    is_open = settings.API_OPEN == "all" or (settings.API_OPEN == "classic" and "classic" in operation["tags"])
    operation["security"] = [*by_token, by_session, *([{}] if is_open else [])]


# Tokens are served by the OAuth toolkit, whose views drf-spectacular does not know.


def form(name: str, example: Document) -> Document:
    media = {"schema": {"$ref": f"#/components/schemas/{name}"}, "example": example}
    return {"required": True, "content": {"application/x-www-form-urlencoded": media}}


def token_answer(description: str, schema: str, example: Document, *, media_type: str = "application/json") -> Document:
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}
    return {"description": description, "content": {media_type: content}}


CREDENTIALS = {
    "client_id": {"type": "string", "description": "Or both by HTTP Basic."},
    "client_secret": {"type": "string", "format": "password"},
}
TOKEN = {
    "access_token": "q8dRcFq3zYw5",
    "expires_in": 3600,
    "token_type": "Bearer",
    "scope": "orders:read orders:write",
}
TOO_MANY = {"type": "/problems/throttled", "title": "Too many calls", "status": 429, "code": "throttled"}
REFUSALS = {
    "400": token_answer("The form is not right.", "TokenError", {"error": "unsupported_grant_type"}),
    "401": token_answer("No such client.", "TokenError", {"error": "invalid_client"}),
    "429": token_answer(
        "Too many of one address.",
        "Problem",
        TOO_MANY | {"detail": "Nothing was done.", "request_id": "0f8fad5bd9cb469fa16570867728950e"},
        media_type=MEDIA_TYPE,
    ),
}
TOKEN_SCHEMAS: Document = {
    "TokenRequest": {
        "type": "object",
        "required": ["grant_type"],
        "properties": {
            "grant_type": {"type": "string", "enum": ["client_credentials"]},
            **CREDENTIALS,
            "scope": {"type": "string", "description": "Fewer than the client has, with spaces between."},
        },
    },
    "Token": {
        "type": "object",
        "required": list(TOKEN),
        "properties": {name: {"type": "integer" if name == "expires_in" else "string"} for name in TOKEN},
    },
    "TokenError": {
        "type": "object",
        "description": "As in RFC 6749.",
        "required": ["error"],
        "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
    },
    "TokenRevocation": {
        "type": "object",
        "required": ["token"],
        "properties": {"token": {"type": "string"}, **CREDENTIALS},
    },
}
TOKEN_PATHS: Document = {
    "/o/token/": {
        "post": {
            "operationId": "get_token",
            "summary": "Get an access token",
            "description": "For an hour, and for the scopes of the client. Send it as `Authorization: Bearer ...`",
            "tags": ["tokens"],
            "security": [{"client": []}, {}],
            "requestBody": form("TokenRequest", {"grant_type": "client_credentials"}),
            "responses": {"200": token_answer("Granted.", "Token", TOKEN), **REFUSALS},
        }
    },
    "/o/revoke_token/": {
        "post": {
            "operationId": "revoke_token",
            "summary": "Revoke an access token",
            "description": "From now on it opens nothing.",
            "tags": ["tokens"],
            "security": [{"client": []}, {}],
            "requestBody": form("TokenRevocation", {"token": TOKEN["access_token"]}),
            "responses": {"200": {"description": "It is not valid, or not any more."}, **REFUSALS},
        }
    },
}
