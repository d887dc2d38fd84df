from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from rest_framework.request import Request

from catalog.models import StockMovement
from catalog.serializers import MovementSerializer
from ecommerce.api.authentication import caller, sees_all_orders


def shown_movements(request: Request, movements: Sequence[StockMovement]) -> list[dict[str, Any]]:
    """Who sees only its own orders is told neither who moves the units of others nor for which order or why."""
    rows: Any = MovementSerializer(movements, many=True).data  # type: ignore[arg-type]
    visible = orders_shown(request, (moved.order_uuid for moved in movements if moved.order_uuid))
    for moved, row in zip(movements, rows, strict=True):
        if moved.order_uuid is not None and moved.order_uuid not in visible:
            row |= {"order": None, "done_by": None, "note": ""}
        elif moved.order_uuid is None and not sees_all_orders(request) and moved.done_by != caller(request):
            row["done_by"] = None
    return list(rows)


def orders_shown(request: Request, order_uuids: Iterable[UUID]) -> set[UUID]:
    """Those of these orders that the caller may see."""
    asked = set(order_uuids)
    if sees_all_orders(request) or not asked:
        return asked
    own = StockMovement.objects.ordered_by(caller(request)).filter(order_uuid__in=asked)
    return {order for order in own.values_list("order_uuid", flat=True) if order}
