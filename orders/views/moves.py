from collections import Counter
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.views.lines import LinesOfProducts
from ecommerce.api.authentication import caller
from ecommerce.api.conditions import wanted_version
from ecommerce.api.serializers import NothingSerializer, checked
from ecommerce.errors import DomainError
from orders.errors import Excess, OrderChanged, QuantityNotCancellable
from orders.models import Order
from orders.serializers import (
    CancelSerializer,
    EventSerializer,
    ExtendSerializer,
    NewNoteSerializer,
    OrderSerializer,
    ShipSerializer,
)
from orders.services import Line, add_note, cancel_order, complete_order, extend_hold, products_named, ship_order
from orders.views import documented
from orders.views.owned import OwnedOrders

MOVE = ("orders:write", "orders.change_order")


class OrderMoveViewSet(LinesOfProducts, OwnedOrders):
    """What can be done to an order. With If-Match, only if it is still what the caller has seen."""

    access = {"complete": MOVE, "cancel": MOVE, "ship": MOVE, "extend": MOVE, "note": MOVE}
    lines_field = "items"

    @extend_schema(**documented.COMPLETE_ORDER)
    def complete(self, request: Request, uuid: UUID) -> Response:
        order = self.named(uuid)
        checked(NothingSerializer(data=request.data))
        complete_order(order.pk, **self.by_caller())
        return self.shown(self.named(uuid))

    @extend_schema(**documented.CANCEL_ORDER)
    def cancel(self, request: Request, uuid: UUID) -> Response:
        order = self.named(uuid)
        wanted = checked(CancelSerializer(data=request.data))
        self.lines = wanted.pop("items", [])
        cancel_order(order.pk, quantities=self.quantities(order), **wanted, **self.by_caller())
        return self.shown(self.named(uuid))

    def quantities(self, order: Order) -> dict[int, int] | None:
        """Units by product id of the lines that were named; None for all of them."""
        self.product_ids = products_named(order, [Line(**line) for line in self.lines])
        quantities: Counter[int] = Counter()
        for pk, line in zip(self.product_ids, self.lines, strict=True):
            quantities[pk] += line["quantity"]
        return quantities or None

    @extend_schema(**documented.SHIP_ORDER)
    def ship(self, request: Request, uuid: UUID) -> Response:
        order = self.named(uuid)
        tracking = checked(ShipSerializer(data=request.data))
        ship_order(order.pk, tracking=tracking or None, **self.by_caller())
        return self.shown(self.named(uuid))

    @extend_schema(**documented.EXTEND_HOLD)
    def extend(self, request: Request, uuid: UUID) -> Response:
        order = self.named(uuid)
        extend_hold(order.pk, checked(ExtendSerializer(data=request.data))["hold"], **self.by_caller())
        return self.shown(self.named(uuid))

    @extend_schema(**documented.ADD_NOTE)
    def note(self, request: Request, uuid: UUID) -> Response:
        order = self.named(uuid)
        event = add_note(order.pk, checked(NewNoteSerializer(data=request.data))["note"], **self.by_caller())
        return Response(EventSerializer(event).data, status=201)

    def by_caller(self) -> dict[str, Any]:
        return {"done_by": caller(self.request), "version": wanted_version(self.request)}

    def told(self, error: DomainError) -> dict[str, Any]:
        if isinstance(error, OrderChanged):
            return {"current": OrderSerializer(self.named(self.kwargs["uuid"])).data}
        if isinstance(error, QuantityNotCancellable):
            return {"lines": [self.excess(line) for line in error.lines]}
        return super().told(error)

    def excess(self, line: Excess) -> dict[str, Any]:
        place = self.product_ids.index(line.product_id)
        return {"pointer": f"/items/{place}", "wanted": line.wanted, "remaining": line.remaining}
