"""What views say of themselves in the OpenAPI document: errors, headers, who may; openapi.py has the whole of it."""

from collections import defaultdict
from typing import Any

from drf_spectacular.drainage import set_override
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from ecommerce.api.conditions import TAG_WITH_VERSION
from ecommerce.api.problems import MEDIA_TYPE, PROBLEMS, body_of

EVERYWHERE = [
    "not_authenticated",
    "authentication_failed",
    "permission_denied",
    "not_acceptable",
    "throttled",
    "busy",
    "unavailable",
]
PROBLEM_CODES = [(code, problem.title) for code, problem in sorted(PROBLEMS.items())]
WITH_A_BODY = ["csrf_failed", "parse_error", "payload_too_large", "unsupported_media_type", "invalid"]


class Named(serializers.Field[Any, Any, Any, Any]):
    """A shape, or one of several, that another app has put into the document; this package knows none of them."""

    def __init__(self, *components: str, nullable: bool = False, **options: Any) -> None:
        super().__init__(required=False, **options)
        shapes = [{"$ref": f"#/components/schemas/{name}"} for name in components]
        schema = {"allOf" if len(shapes) == 1 else "oneOf": shapes} | ({"nullable": True} if nullable else {})
        set_override(self, "field", schema)


class FieldErrorSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField(help_text="Where in the body: a JSON pointer.", required=False)
    parameter = serializers.CharField(help_text="Which query parameter.", required=False)
    code = serializers.CharField()
    message = serializers.CharField()


class ShortageSerializer(serializers.Serializer[Any]):
    product = serializers.UUIDField()
    number = serializers.IntegerField()
    sku = serializers.CharField()
    wanted = serializers.IntegerField()
    available = serializers.IntegerField()
    pointer = serializers.CharField(required=False, help_text="The first line of the body that names the product.")


class ProblemSerializer(serializers.Serializer[Any]):
    """A refusal, as in RFC 9457. Branch on `code`; the other fields come with the codes that they name."""

    type = serializers.CharField(help_text="An address on this server that explains the code.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.ChoiceField(choices=PROBLEM_CODES, help_text="Stable.")
    detail = serializers.CharField(help_text="One sentence for a person.")
    request_id = serializers.CharField()
    errors = FieldErrorSerializer(  # type: ignore[assignment]
        many=True, required=False, help_text="With code `invalid`: at most 20."
    )
    shortages = ShortageSerializer(
        many=True, required=False, help_text="With codes `insufficient_stock` and `hold_expired`: every one."
    )
    corrected = Named(
        "NewOrderRequest", nullable=True, help_text="With `insufficient_stock`: the order that would pass, if any."
    )
    current = Named("Product", "Order", help_text="With `product_changed` and `order_changed`: what it is now.")
    pointer = serializers.CharField(required=False, help_text="The line of the body that it is about.")
    legal_moves = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="With `illegal_move`: what would be legal now."
    )
    scope = serializers.CharField(required=False, help_text="With `permission_denied`: what the access token lacks.")
    order_status = serializers.CharField(required=False, help_text="With `illegal_move`.")
    expected = serializers.IntegerField(required=False, help_text="With `stock_moved`: units on the shelf.")
    on_hand = serializers.IntegerField(required=False, help_text="With `stock_moved`: units on the shelf.")
    movements = serializers.ListField(
        child=Named("Movement"), required=False, help_text="With `stock_moved`: those since, newest first."
    )
    committed = serializers.IntegerField(required=False, help_text="With `count_below_committed`.")
    holders = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="With `count_below_committed`: orders and quantities."
    )
    total_price = serializers.CharField(required=False, help_text="With `price_changed`: what it comes to now.")
    items = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="With `price_changed`: the lines at their prices now."
    )
    lines = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="With `quantity_not_cancellable`: what is left of each.",
    )


def problems(*codes: str, contract: str | None = None) -> dict[tuple[int, str], OpenApiResponse]:
    """The error answers of an operation, by status, with an example of each code."""
    by_status = defaultdict(list)
    for code in [*codes, *EVERYWHERE]:
        problem = PROBLEMS[code]
        status = problem.classic_status if contract == "classic" and problem.classic_status else problem.status
        by_status[status].append(OpenApiExample(code, example_of(code, status=status), summary=problem.title))
    return {
        (status, MEDIA_TYPE): OpenApiResponse(
            ProblemSerializer,
            description="\n".join(f"* `{example.name}`: {example.summary}" for example in examples),
            examples=examples,
        )
        for status, examples in sorted(by_status.items())
    }


def answered(serializer: Any, example: Any, *, description: str = "") -> OpenApiResponse:
    return OpenApiResponse(serializer, description=description, examples=[OpenApiExample("example", example)])


def example_of(code: str, *, status: int) -> dict[str, Any]:
    body = body_of(code, status=status) | {"request_id": "0f8fad5bd9cb469fa16570867728950e"}
    if code == "invalid":
        body["errors"] = [{"pointer": "/price", "code": "min_value", "message": "Must be above 0."}]
    if code == "insufficient_stock":
        body["detail"] = "Insufficient stock for product 2 : Ink"
        body["shortages"] = [
            {
                "product": "01932c07-5f3a-7d2e-9f64-0d1c4c0b7a11",
                "number": 2,
                "sku": "INK-BLUE",
                "wanted": 5,
                "available": 2,
            }
        ]
    if code == "unknown_product":
        body["detail"] = "Product with ID 999 not found"
    return body


def needs(scope: str) -> Any:
    """The `auth` of an operation: a token with this scope. What else will do, `openapi.complete` adds."""
    return [{"oauth2": [scope]}]


def header(name: str, schema: Any, description: str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=description, **options)


KEY = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    KEY,
    "Makes a retry safe: the same key and body place one order, however often they are sent.",
)
REQUIRED_KEY = header(
    "Idempotency-Key",
    KEY,
    "Your own for each new request; the same one to retry it. Keys of other clients are not yours.",
    required=True,
)
IF_MATCH = header(
    "If-Match",
    {"type": "string", "pattern": f"^({TAG_WITH_VERSION.pattern}|\\*)$"},
    "An ETag as it came: change what I have seen, or nothing.",
)
IF_NONE_MATCH = header("If-None-Match", str, "An ETag as it came: answer 304 if it is still that.")
NOT_MODIFIED = OpenApiResponse(description="It is what the ETag says.")


def etag_on(*statuses: int) -> OpenApiParameter:
    return header("ETag", str, "What was seen, for If-Match and If-None-Match.", response=list(statuses))


def location_on(*statuses: int) -> OpenApiParameter:
    return header("Location", {"type": "string", "format": "uri"}, "Where it is now.", response=list(statuses))


def replayed_on(*statuses: int) -> OpenApiParameter:
    told = "`true`: done before, under this key, and not again."
    return header("Idempotent-Replayed", {"type": "string", "enum": ["true"]}, told, response=list(statuses))


PAGE_HEADERS = [
    IF_NONE_MATCH,
    header("ETag", str, "What the page shows, for If-None-Match.", response=[200, 304]),
    header("Link", str, "The addresses of `next` and `previous`, as in RFC 8288.", response=[200]),
]
