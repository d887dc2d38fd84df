from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.errors import InsufficientStock
from catalog.views.lines import LinesOfProducts
from ecommerce.api.authentication import caller
from ecommerce.api.conditions import answer_if_changed, etag
from ecommerce.api.filters import StrictFilterBackend
from ecommerce.api.idempotency import REPLAYED, fingerprint, idempotency_key, required_key
from ecommerce.api.pagination import KeysetPagination
from ecommerce.api.parameters import read_parameters
from ecommerce.api.shared import shown, shown_each, validated
from ecommerce.errors import DomainError
from orders.filters import OrderFilter
from orders.models import OrderEvent
from orders.serializers import (
    EventSerializer,
    NewOrderSerializer,
    OrderParametersSerializer,
    OrderSerializer,
    QuoteSerializer,
)
from orders.services import Line, OrderRequest, place_order, quote_order
from orders.views import documented
from orders.views.corrected import corrected_body
from orders.views.owned import OwnedOrders


class OrderViewSet(LinesOfProducts, OwnedOrders):
    access = {
        "list": ("orders:read", "orders.view_order"),
        "retrieve": ("orders:read", "orders.view_order"),
        "create": ("orders:write", "orders.add_order"),
    }
    filter_backends = [StrictFilterBackend]
    filterset_class = OrderFilter
    pagination_class = KeysetPagination
    orderings = {"number": "pk", "updated_at": "updated_at"}
    default_ordering = "-number"
    lines_field = "items"
    parameters = {"create": ["dry_run"]}

    @extend_schema(**documented.LIST_ORDERS)
    def list(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset().with_lines()))
        return self.get_paginated_response(shown_each(OrderSerializer, page))

    @extend_schema(**documented.READ_ORDER)
    def retrieve(self, request: Request, uuid: UUID) -> Response:
        order = self.named(uuid)
        return answer_if_changed(request, shown(OrderSerializer, order), tag=etag(order.version))

    @extend_schema(**documented.CREATE_ORDER)
    def create(self, request: Request) -> Response:
        if read_parameters(OrderParametersSerializer, request)["dry_run"]:
            idempotency_key(request)  # it needs none, and still refuses a malformed one
            return Response(QuoteSerializer(quote_order(self.wanted(request))).data)
        placed = place_order(self.wanted(request, key=required_key(request)))
        replayed = {"status": 200, "headers": REPLAYED} if placed.replayed else {"status": 201}
        return self.shown(placed.order, **replayed)

    def wanted(self, request: Request, *, key: str | None = None) -> OrderRequest:
        body = validated(NewOrderSerializer, request.data)
        self.lines = body.pop("items")
        return OrderRequest(
            lines=[Line(**line) for line in self.lines],
            placed_by=caller(request),
            key=key,
            fingerprint=fingerprint(request.data, contract="v1"),
            **body,
        )

    def told(self, error: DomainError) -> dict[str, Any]:
        told = super().told(error)
        if isinstance(error, InsufficientStock):
            told["corrected"] = corrected_body(dict(self.request.data), self.lines, error.shortages)
        return told


class EventViewSet(OwnedOrders):
    """The timeline of one order."""

    access = {"list": ("orders:read", "orders.view_orderevent")}
    serializer_class = EventSerializer
    filter_backends = [StrictFilterBackend]
    pagination_class = KeysetPagination
    orderings = {"id": "pk"}
    default_ordering = "id"

    @extend_schema(**documented.LIST_EVENTS)
    def list(self, request: Request, uuid: UUID) -> Response:
        events = OrderEvent.objects.filter(order=self.named(uuid))
        page: Any = self.paginate_queryset(self.filter_queryset(events))
        return self.get_paginated_response(shown_each(EventSerializer, page))
