from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.api.authentication import caller
from ecommerce.api.idempotency import refuse_malformed
from orders.models import Order
from orders.views import documented
from orders.views.owned import OwnedOrders


class NotRecorded(APIException):
    status_code = 404
    default_code = "not_recorded"


class KeyViewSet(OwnedOrders):
    """What became of a request: for whoever never got its answer."""

    access = {"retrieve": ("orders:write", "orders.view_order")}

    @extend_schema(**documented.READ_REQUEST)
    def retrieve(self, request: Request, key: str) -> Response:
        refuse_malformed(key)
        order = Order.objects.with_lines().filter(placed_by=caller(request), idempotency_key=key).first()
        if order is None:
            raise NotRecorded
        return self.shown(order)
