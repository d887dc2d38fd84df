from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.serializers import MovedSerializer, StockMovesSerializer
from catalog.services import Cause, StockMove, move_stock
from catalog.views import documented
from catalog.views.lines import LinesOfProducts
from ecommerce.api.authentication import caller
from ecommerce.api.idempotency import REPLAYED, required_key
from ecommerce.api.serializers import checked
from ecommerce.api.viewsets import StrictViewSet


class StockViewSet(LinesOfProducts, StrictViewSet):
    access = {"create": ("catalog:write", "catalog.change_stock")}
    serializer_class = StockMovesSerializer
    lines_field = "lines"

    @extend_schema(**documented.MOVE_STOCK)
    def create(self, request: Request) -> Response:
        key = required_key(request)
        self.lines = checked(self.get_serializer(data=request.data))["lines"]
        moved = move_stock([StockMove(**line) for line in self.lines], cause=Cause(done_by=caller(request), key=key))
        headers = REPLAYED if moved.replayed else {}
        return Response(MovedSerializer(moved).data, status=200 if moved.replayed else 201, headers=headers)
