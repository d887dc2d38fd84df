"""What the OpenAPI document says of the calls on orders in API v1."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer

from ecommerce.api.schema import (
    IF_MATCH,
    IF_NONE_MATCH,
    KEY,
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
from ecommerce.api.serializers import NothingSerializer
from orders.serializers import (
    CancelSerializer,
    EventSerializer,
    ExtendSerializer,
    NewNoteSerializer,
    NewOrderSerializer,
    OrderParametersSerializer,
    OrderSerializer,
    QuoteSerializer,
    ShipSerializer,
)

LAMP = "01932c07-5f3a-7d2e-9f64-0d1c4c0b7a11"
LINE = {"product": "LAMP-BRASS", "quantity": 2}
ADDRESS = {"name": "Ada", "line1": "1 Main St", "city": "London", "postal_code": "N1", "country": "GB"}
CUSTOMER = {"email": "ada@example.com", "name": "Ada"}
ITEM = {
    "product": LAMP,
    "sku": "LAMP-BRASS",
    "product_name": "Lamp",
    "quantity": 2,
    "cancelled_quantity": 0,
    "price_at_time": "19.99",
    "subtotal": "39.98",
}
NEW = {"items": [LINE], "customer": CUSTOMER, "ship_to": ADDRESS, "reference": "web-77", "expected_total": "39.98"}
ORDER = {
    "id": "01932c08-9d0e-7b64-8f3e-6a1d2c3b4e55",
    "number": 1042,
    "status": "completed",
    "currency": "USD",
    "items": [ITEM],
    "total_price": "39.98",
    "current_total": "39.98",
    "customer": CUSTOMER,
    "ship_to": ADDRESS,
    "shipped_at": None,
    "tracking": None,
    "reference": "web-77",
    "metadata": {},
    "hold_expires_at": None,
    "created_at": "2026-11-23T09:30:00Z",
    "completed_at": "2026-11-23T09:30:00Z",
    "cancelled_at": None,
    "cancel_reason": "",
    "updated_at": "2026-11-23T09:30:00Z",
}
SHIPPED = {"shipped_at": "2026-11-24T08:00:00Z", "tracking": {"carrier": "DHL", "number": "00340434161094"}}
CANCELLED = {"status": "cancelled", "current_total": "0.00", "cancelled_at": "2026-11-24T08:00:00Z"}
HELD = {"status": "pending", "completed_at": None, "hold_expires_at": "2026-11-23T10:30:00Z"}
QUOTE = {
    "dry_run": True,
    "as_of": "2026-11-23T09:30:00Z",
    "currency": "USD",
    "items": [ITEM],
    "total_price": "39.98",
}
EVENT = {
    "id": 31,
    "kind": "placed",
    "old_status": "",
    "new_status": "completed",
    "done_by": "app:Hk2tq0",
    "request_id": "0f8fad5bd9cb469fa16570867728950e",
    "data": {},
    "created_at": "2026-11-23T09:30:00Z",
}
NOTE = {"kind": "note_added", "old_status": "completed", "data": {"note": "Call before delivery."}}


def move(name: str, summary: str, description: str, *, request: Any, sent: Any, then: Any, refusals: list[str]) -> Any:
    """The documentation of a move: what is sent, what the order is then."""
    return {
        "operation_id": name,
        "summary": summary,
        "description": description,
        "tags": ["orders"],
        "auth": needs("orders:write"),
        "parameters": [IF_MATCH, etag_on(200)],
        "request": request,
        "responses": then
        | problems(*WITH_A_BODY, "invalid_if_match", "not_found", "order_changed", "illegal_move", *refusals),
        "examples": [OpenApiExample("what is sent", sent, request_only=True)] if sent else [],
    }


LIST_ORDERS: dict[str, Any] = {
    "operation_id": "list_orders",
    "summary": "List orders",
    "description": "Your own; with the scope orders:read_all those of every client.",
    "tags": ["orders"],
    "auth": needs("orders:read"),
    "parameters": PAGE_HEADERS,
    "responses": {200: OrderSerializer(many=True), 304: NOT_MODIFIED} | problems("invalid"),
    "examples": [OpenApiExample("orders", ORDER, response_only=True, status_codes=["200"])],
}
READ_ORDER: dict[str, Any] = {
    "operation_id": "read_order",
    "summary": "Read an order",
    "tags": ["orders"],
    "auth": needs("orders:read"),
    "parameters": [IF_NONE_MATCH, etag_on(200, 304)],
    "responses": {200: answered(OrderSerializer, ORDER), 304: NOT_MODIFIED} | problems("not_found"),
}
CREATE_ORDER: dict[str, Any] = {
    "operation_id": "create_order",
    "summary": "Place an order",
    "description": "Takes the stock and records the order, or changes nothing. Units of a product that stands in two "
    "lines are added. A retry with the same key and body answers 200 with the order as it is now. With `dry_run=true` "
    "the same is checked and nothing is written; that needs no key.",
    "tags": ["orders"],
    "auth": needs("orders:write"),
    "parameters": [
        OrderParametersSerializer,
        REQUIRED_KEY,
        etag_on(200, 201),
        location_on(201),
        replayed_on(200),
    ],
    "request": NewOrderSerializer,
    "responses": {
        201: answered(OrderSerializer, ORDER, description="Placed."),
        200: OpenApiResponse(
            PolymorphicProxySerializer("OrderOrQuote", [OrderSerializer, QuoteSerializer], None),
            description="Placed before, under this key; or what a dry run found.",
            examples=[OpenApiExample("placed before", ORDER), OpenApiExample("dry run", QUOTE)],
        ),
    }
    | problems(
        *WITH_A_BODY,
        "missing_idempotency_key",
        "invalid_idempotency_key",
        "idempotency_mismatch",
        "unknown_product",
        "insufficient_stock",
        "price_changed",
        "order_too_large",
    ),
    "examples": [
        OpenApiExample("new order", NEW, request_only=True),
        OpenApiExample("hold for an hour", {"items": [LINE], "hold": 3600}, request_only=True),
    ],
}
LIST_EVENTS: dict[str, Any] = {
    "operation_id": "list_events",
    "summary": "Read the timeline of an order",
    "description": "What happened to it, who did it, in which request; oldest first.",
    "tags": ["orders"],
    "auth": needs("orders:read"),
    "parameters": PAGE_HEADERS,
    "responses": {200: EventSerializer(many=True), 304: NOT_MODIFIED} | problems("invalid", "not_found"),
    "examples": [OpenApiExample("events", EVENT, response_only=True, status_codes=["200"])],
}
COMPLETE_ORDER: dict[str, Any] = move(
    "complete_order",
    "Complete a held order",
    "It is bought. Where the hold has run out meanwhile its units are taken again, at the prices of the order and "
    "within a day, or 409 `hold_expired` lists what is short.",
    request=NothingSerializer,
    sent={},
    then={200: answered(OrderSerializer, ORDER)},
    refusals=["hold_expired"],
)
CANCEL_ORDER: dict[str, Any] = move(
    "cancel_order",
    "Cancel an order, or some of its units",
    "The units are for sale again, unless `restock` is false. After it was handed over this is a return. To cancel "
    "some units has no key: send If-Match, and a retry cannot cancel twice.",
    request=CancelSerializer,
    sent={"reason": "customer asked", "items": [{"product": "LAMP-BRASS", "quantity": 1}], "restock": True},
    then={200: answered(OrderSerializer, ORDER | CANCELLED)},
    refusals=["unknown_product", "quantity_not_cancellable"],
)
SHIP_ORDER: dict[str, Any] = move(
    "ship_order",
    "Ship an order",
    "Its units leave the shelf.",
    request=ShipSerializer,
    sent={"carrier": "DHL", "number": "00340434161094", "url": "https://example.com/00340434161094"},
    then={200: answered(OrderSerializer, ORDER | SHIPPED)},
    refusals=[],
)
EXTEND_HOLD: dict[str, Any] = move(
    "extend_hold",
    "Hold an order for longer",
    "For so many seconds from now, at most 7 days.",
    request=ExtendSerializer,
    sent={"hold": 3600},
    then={200: answered(OrderSerializer, ORDER | HELD)},
    refusals=[],
)
ADD_NOTE: dict[str, Any] = move(
    "add_note",
    "Write a note on an order",
    "It stands in the timeline, for staff and programs.",
    request=NewNoteSerializer,
    sent={"note": "Call before delivery."},
    then={201: answered(EventSerializer, EVENT | NOTE)},
    refusals=[],
)
READ_REQUEST: dict[str, Any] = {
    "operation_id": "read_request",
    "summary": "Ask what became of a request",
    "description": "For whoever never got the answer to a POST of an order: 200 with the order as it is now, or 404 "
    "`not_recorded`: nothing is committed yet. Retry with the same key, never with a new one.",
    "tags": ["orders"],
    "auth": needs("orders:write"),
    "parameters": [
        OpenApiParameter("key", KEY, OpenApiParameter.PATH, description="The Idempotency-Key, percent-encoded."),
        etag_on(200),
    ],
    "responses": {200: answered(OrderSerializer, ORDER)} | problems("invalid_idempotency_key", "not_recorded"),
}
