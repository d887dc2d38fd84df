from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.api.authentication import caller
from ecommerce.api.idempotency import REPLAYED, fingerprint, idempotency_key
from ecommerce.api.schema import IDEMPOTENCY_KEY, WITH_A_BODY, needs, problems, replayed_on
from ecommerce.api.shared import shown, validated
from ecommerce.api.viewsets import ApiViewSet
from orders.serializers import ClassicNewOrderSerializer, ClassicOrderSerializer
from orders.services import Line, OrderRequest, place_order

NEW_ORDER = {"products": [{"product_id": 1, "quantity": 2}, {"product_id": 2, "quantity": 1}]}
ORDER = {
    "id": 1,
    "items": [
        {"product_id": 1, "product_name": "Lamp", "quantity": 2, "price_at_time": 19.99, "subtotal": 39.98},
        {"product_id": 2, "product_name": "Ink", "quantity": 1, "price_at_time": 4.5, "subtotal": 4.5},
    ],
    "total_price": 44.48,
    "status": "completed",
}


class ClassicOrderViewSet(ApiViewSet):
    contract = "classic"
    access = {"create": ("orders:write", "orders.add_order")}
    serializer_class = ClassicNewOrderSerializer

    @extend_schema(
        operation_id="classic_create_order",
        summary="Place an order",
        description="Takes the stock and records the order, or changes nothing. A product named twice is one line.",
        tags=["classic"],
        auth=needs("orders:write"),
        parameters=[IDEMPOTENCY_KEY, replayed_on(201)],
        responses={201: OpenApiResponse(ClassicOrderSerializer, description="Placed, now or by an earlier try.")}
        | problems(
            *WITH_A_BODY,
            "invalid_idempotency_key",
            "unknown_product",
            "insufficient_stock",
            "order_too_large",
            "idempotency_mismatch",
            contract=contract,
        ),
        examples=[
            OpenApiExample("new order", NEW_ORDER, request_only=True),
            OpenApiExample("order", ORDER, response_only=True, status_codes=["201"]),
        ],
    )
    def create(self, request: Request) -> Response:
        wanted = validated(ClassicNewOrderSerializer, request.data)
        key = idempotency_key(request)
        placed = place_order(
            OrderRequest(
                lines=[Line(line["product_id"], line["quantity"]) for line in wanted["products"]],
                placed_by=caller(request),
                key=key,
                fingerprint=fingerprint(request.data, contract=self.contract) if key else "",
            )
        )
        headers = REPLAYED if placed.replayed else {}
        return Response(shown(ClassicOrderSerializer, placed), status=201, headers=headers)
