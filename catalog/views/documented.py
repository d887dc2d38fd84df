"""What the OpenAPI document says of the catalogue's calls in API v1."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from catalog.serializers import (
    MovedSerializer,
    MovementSerializer,
    NewProductSerializer,
    ProductChangesSerializer,
    ProductSerializer,
    StockMovesSerializer,
)
from ecommerce.api.schema import (
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    PAGE_HEADERS,
    REQUIRED_KEY,
    WITH_A_BODY,
    answered,
    etag_on,
    location_on,
    needs,
    problems,
    replayed_on,
)

LAMP = "01932c07-5f3a-7d2e-9f64-0d1c4c0b7a11"
PRODUCT = {
    "id": LAMP,
    "number": 2,
    "sku": "LAMP-BRASS",
    "name": "Lamp",
    "description": "Warm light, brass foot",
    "price": "19.99",
    "currency": "USD",
    "stock": 10,
    "committed": 0,
    "image_url": "",
    "is_active": True,
    "created_at": "2026-11-23T09:00:00Z",
    "updated_at": "2026-11-23T09:00:00Z",
}
MOVEMENT = {
    "id": 7,
    "kind": "received",
    "quantity": 10,
    "committed_change": 0,
    "balance_after": 10,
    "order": None,
    "done_by": "staff:1",
    "note": "delivery 4711",
    "created_at": "2026-11-23T09:00:00Z",
}
NEW = {"sku": "LAMP-BRASS", "name": "Lamp", "description": "Warm light, brass foot", "price": "19.99", "stock": 10}
MOVES = {
    "lines": [
        {"product": "LAMP-BRASS", "kind": "received", "quantity": 10, "note": "delivery 4711"},
        {"product": LAMP, "kind": "counted", "quantity": 9, "expected": 10},
    ]
}


LIST_PRODUCTS: dict[str, Any] = {
    "operation_id": "list_products",
    "summary": "List products",
    "description": "Those on sale, unless `is_active` says otherwise. `?sku=` or `?number=` finds one.",
    "tags": ["products"],
    "auth": needs("catalog:read"),
    "parameters": PAGE_HEADERS,
    "responses": {200: ProductSerializer(many=True), 304: NOT_MODIFIED} | problems("invalid"),
    "examples": [OpenApiExample("products", PRODUCT, response_only=True, status_codes=["200"])],
}
READ_PRODUCT: dict[str, Any] = {
    "operation_id": "read_product",
    "summary": "Read a product",
    "description": "Also an archived one. Its ETag changes with its fields and with its stock.",
    "tags": ["products"],
    "auth": needs("catalog:read"),
    "parameters": [IF_NONE_MATCH, etag_on(200, 304)],
    "responses": {200: answered(ProductSerializer, PRODUCT), 304: NOT_MODIFIED} | problems("not_found"),
}
CREATE_PRODUCT: dict[str, Any] = {
    "operation_id": "create_product",
    "summary": "Create a product",
    "description": "The stock it opens with is the first row of its ledger. A sku makes a retry safe: it is taken.",
    "tags": ["products"],
    "auth": needs("catalog:write"),
    "parameters": [etag_on(201), location_on(201)],
    "request": NewProductSerializer,
    "responses": {201: answered(ProductSerializer, PRODUCT)} | problems(*WITH_A_BODY, "sku_taken"),
    "examples": [OpenApiExample("new product", NEW, request_only=True)],
}
CHANGE_PRODUCT: dict[str, Any] = {
    "operation_id": "change_product",
    "summary": "Change a product",
    "description": "The fields that are sent, and no others. With If-Match, only if nobody changed it since: else 412, "
    "with the product as it is now. Its stock is moved by POST /api/v1/stock/.",
    "tags": ["products"],
    "auth": needs("catalog:write"),
    "parameters": [IF_MATCH, etag_on(200)],
    "request": ProductChangesSerializer,
    "responses": {200: answered(ProductSerializer, PRODUCT)}
    | problems(*WITH_A_BODY, "invalid_if_match", "not_found", "sku_taken", "product_changed"),
    "examples": [OpenApiExample("new price", {"price": "24.50"}, request_only=True)],
}
DELETE_PRODUCT: dict[str, Any] = {
    "operation_id": "delete_product",
    "summary": "Delete or archive a product",
    "description": "204: it was never stocked nor sold, and is gone. 200: it has a history, and is archived.",
    "tags": ["products"],
    "auth": needs("catalog:write"),
    "parameters": [IF_MATCH, etag_on(200)],
    "responses": {
        200: answered(ProductSerializer, PRODUCT | {"is_active": False}, description="Archived."),
        204: OpenApiResponse(description="Deleted."),
    }
    | problems("invalid_if_match", "not_found", "product_changed"),
}
LIST_MOVEMENTS: dict[str, Any] = {
    "operation_id": "list_movements",
    "summary": "Read the ledger of a product",
    "description": "Why its stock is what it is, newest first. `stock` and `committed` beside the page are what it all "
    "comes to; with `as_of`, what it came to then. Whose orders moved the units is told to who may see all "
    "orders; a client without orders:read_all is told of its own.",
    "tags": ["products"],
    "auth": needs("catalog:read"),
    "parameters": PAGE_HEADERS,
    "responses": {200: MovementSerializer(many=True), 304: NOT_MODIFIED} | problems("invalid", "not_found"),
    "examples": [OpenApiExample("movements", MOVEMENT, response_only=True, status_codes=["200"])],
}
MOVE_STOCK: dict[str, Any] = {
    "operation_id": "move_stock",
    "summary": "Receive, adjust or count stock",
    "description": "Up to 500 lines, each product once: all of them or nothing. A retry with the same key moves "
    "nothing more and answers 200 with what was done.",
    "tags": ["stock"],
    "auth": needs("catalog:write"),
    "parameters": [REQUIRED_KEY, replayed_on(200)],
    "request": StockMovesSerializer,
    "responses": {
        status: answered(
            MovedSerializer, {"movements": [MOVEMENT | {"product": LAMP, "sku": "LAMP-BRASS"}]}, description=said
        )
        for status, said in {201: "Done.", 200: "Done before, under this key."}.items()
    }
    | problems(
        *WITH_A_BODY,
        "missing_idempotency_key",
        "invalid_idempotency_key",
        "idempotency_mismatch",
        "unknown_product",
        "product_twice",
        "stock_moved",
        "insufficient_stock",
        "count_below_committed",
    ),
    "examples": [OpenApiExample("moves", MOVES, request_only=True)],
}
