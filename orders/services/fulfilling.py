from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from catalog.models import StockMovement
from catalog.services import Cause, release_stock, return_stock
from ecommerce.logging import current_request_id
from orders.errors import Excess, IllegalMove, OrderChanged, QuantityNotCancellable
from orders.models import Order, OrderEvent, OrderItem

log = structlog.get_logger(__name__)
Kind = OrderEvent.Kind


# Every move may be given the `version` of the order that its caller has seen: it raises OrderChanged at any other.


def ship_order(
    order_id: int, *, done_by: str, tracking: Mapping[str, str] | None = None, version: int | None = None
) -> Order:
    """Its units leave the shelf. `tracking` may hold carrier, number and url. Raises IllegalMove."""
    with transaction.atomic(durable=True):
        order = locked(order_id, move="ship", version=version)
        release_stock(remaining(order), kind=StockMovement.Kind.SHIPPED, cause=cause(order, done_by))
        data = {"tracking": tracking} if tracking else {}
        record(order, Kind.SHIPPED, done_by=done_by, data=data, shipped_at=Now(), tracking=tracking)
    return told(order, Kind.SHIPPED, done_by=done_by)


def cancel_order(
    order_id: int,
    *,
    done_by: str,
    quantities: Mapping[int, int] | None = None,
    restock: bool = True,
    reason: str = "",
    version: int | None = None,
) -> Order:
    """Take back the whole order, or these units by product id; the order is cancelled when its last unit is.

    With `restock` they are for sale again. After the hand-over this is a return. Raises IllegalMove,
    QuantityNotCancellable.
    """
    with transaction.atomic(durable=True):
        order = locked(order_id, move="cancel", version=version)
        left = remaining(order)
        wanted = left if quantities is None else cancellable(left, quantities)
        kind = Kind.CANCELLED if wanted == left else Kind.ITEMS_CANCELLED
        take_back(order, wanted, kind=kind, done_by=done_by, restock=restock, reason=reason)
    return told(order, kind, done_by=done_by)


def add_note(order_id: int, note: str, *, done_by: str, version: int | None = None) -> OrderEvent:
    """Write it into the timeline, whatever the status."""
    with transaction.atomic(durable=True):
        order = locked(order_id, version=version)
        event = record(order, Kind.NOTE_ADDED, done_by=done_by, data={"note": note})
    told(order, Kind.NOTE_ADDED, done_by=done_by)
    return event


def locked(order_id: int, *, move: str | None = None, version: int | None = None) -> Order:
    """The order, locked until the transaction ends: of two moves at once, the second sees what the first made of it.

    Raises Order.DoesNotExist, OrderChanged, IllegalMove.
    """
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    if version not in (None, order.version):
        raise OrderChanged
    if move is not None:
        refuse_illegal(order, move)
    return order


def refuse_illegal(order: Order, move: str) -> None:
    if move not in order.legal_moves:
        raise IllegalMove(order, move)


def remaining(order: Order) -> dict[int, int]:
    """The units that are not cancelled, by product id."""
    return {item.product_id: item.remaining_quantity for item in order.items.all() if item.remaining_quantity}


def cancellable(left: Mapping[int, int], quantities: Mapping[int, int]) -> Mapping[int, int]:
    """These units, if that many are left of each. Raises QuantityNotCancellable."""
    if not quantities or min(quantities.values()) < 1:
        raise ValueError("name at least one line, and of each at least one unit")
    excess = [Excess(pk, wanted, left.get(pk, 0)) for pk, wanted in quantities.items() if wanted > left.get(pk, 0)]
    if excess:
        raise QuantityNotCancellable(excess)
    return quantities


def take_back(
    order: Order,
    quantities: Mapping[int, int],
    *,
    kind: OrderEvent.Kind,
    done_by: str,
    restock: bool = True,
    reason: str = "",
) -> None:
    """Cancel these units of a locked order; the order itself too, unless `kind` is ITEMS_CANCELLED."""
    columns: dict[str, Any] = {"current_total": cancel_items(order, quantities)}
    if kind != Kind.ITEMS_CANCELLED:
        columns |= {"status": Order.Status.CANCELLED, "cancelled_at": Now(), "cancel_reason": reason}
    if kind == Kind.CANCELLED:
        columns["hold_expires_at"] = None
    return_stock(
        quantities, committed=not order.was_handed_over, restock=restock, cause=cause(order, done_by, note=reason)
    )
    data = {"quantities": {str(pk): n for pk, n in quantities.items()}, "restock": restock, "reason": reason}
    record(order, kind, done_by=done_by, data=data, **columns)


def cancel_items(order: Order, quantities: Mapping[int, int]) -> Decimal:
    """Cancel these units of its lines, or with a minus take that back; returns what the order then comes to."""
    items = list(order.items.all())
    for item in items:
        item.cancelled_quantity += quantities.get(item.product_id, 0)
    OrderItem.objects.bulk_update(items, ["cancelled_quantity"])
    return sum((item.remaining_quantity * item.price_at_time for item in items), Decimal())


def record(
    order: Order, kind: OrderEvent.Kind, *, done_by: str, data: Mapping[str, Any] | None = None, **columns: Any
) -> OrderEvent:
    """Write these columns of the order, and the event that says so."""
    old_status = order.status
    Order.objects.filter(pk=order.pk).update(**columns, version=F("version") + 1, updated_at=Now())
    order.refresh_from_db()
    return OrderEvent.objects.create(
        order=order,
        kind=kind,
        old_status=old_status,
        new_status=order.status,
        done_by=done_by,
        request_id=current_request_id(),
        data=data or {},
    )


def cause(order: Order, done_by: str, *, note: str = "") -> Cause:
    return Cause(done_by=done_by, order_uuid=order.uuid, note=note)


def told(order: Order, kind: OrderEvent.Kind, *, done_by: str) -> Order:
    log.info(f"order_{kind}", order=order.pk, total=str(order.current_total), done_by=done_by)
    return order
