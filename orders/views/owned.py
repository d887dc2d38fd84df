from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework.response import Response

from ecommerce.api.authentication import caller, sees_all_orders
from ecommerce.api.conditions import etag
from ecommerce.api.shared import shown
from ecommerce.api.viewsets import StrictViewSet
from orders.models import Order, OrderQuerySet
from orders.serializers import OrderSerializer


class OwnedOrders(StrictViewSet):
    """A client has its own orders; those of others are not there for it, unless it may see all."""

    serializer_class: Any = OrderSerializer

    def get_queryset(self) -> OrderQuerySet:
        orders = Order.objects.all()
        return orders if sees_all_orders(self.request) else orders.filter(placed_by=caller(self.request))

    def named(self, uuid: UUID) -> Order:
        return get_object_or_404(self.get_queryset().with_lines(), uuid=uuid)

    def shown(self, order: Order, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        known_by = {"ETag": etag(order.version)}
        if status == 201:
            known_by["Location"] = self.request.build_absolute_uri(f"/api/v1/orders/{order.uuid}/")
        return Response(shown(OrderSerializer, order), status=status, headers=known_by | (headers or {}))
