from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime

from ecommerce.people import names_of
from orders.admin.moves import PAGES
from orders.admin.pages import OrderPage
from orders.admin.timeline import ICONS, timeline_of
from orders.forms.moves import NoteForm
from orders.models import Order

BUTTONS = {"complete": "Complete", "ship": "Ship", "extend": "Extend the hold", "cancel": "Cancel"}
LABELS = {"to ship": "warning", "held": "info", "hold over": "danger", "cancelled": "danger", "shipped": "success"}


class OrderDetailPage(OrderPage):
    template_name = "admin/orders/order/page.html"

    def get(self, request: HttpRequest, order_id: str) -> HttpResponse:
        order = find(order_id)
        state = state_of(order)
        placed_by = names_of([order.placed_by])[order.placed_by]
        return self.page(
            title=str(order),
            object=order,
            order=order,
            state=state,
            label=LABELS.get(state),
            placed_by=placed_by,
            may_see_products=request.user.has_perm("catalog.view_product"),
            timeline=timeline_of(order),
            facts=list(facts_of(order, placed_by=placed_by)),
            **(moves_of(order) if request.user.has_perm("orders.change_order") else {}),
        )


def find(order_id: str) -> Order:
    known = order_id.isascii() and order_id.isdecimal()
    order = Order.objects.with_lines().filter(pk=order_id).first() if known else None
    if order is None:
        raise Http404
    return order


def state_of(order: Order) -> str:
    if order.hold_expires_at is not None and order.status == Order.Status.PENDING:
        return "hold over" if order.hold_expires_at <= timezone.now() else "held"
    if order.status == Order.Status.CANCELLED:
        return "cancelled"
    if order.shipped_at is not None:
        return "shipped"
    return "to ship" if order.ship_to else "handed over"


def moves_of(order: Order) -> dict[str, Any]:
    moves = [
        {
            "button": button,
            "address": reverse(f"admin:orders_order_{move}", args=[order.pk]),
            "variant": "primary" if move in ("complete", "ship") else "default",
            "icon": ICONS[PAGES[move].kinds[0]],
        }
        for move, button in BUTTONS.items()
        if move in order.legal_moves
    ]
    return {"moves": moves, "note_form": NoteForm(order=order, initial={"version": order.version})}


def facts_of(order: Order, *, placed_by: str) -> Iterator[tuple[str, Any]]:
    yield "Placed by", placed_by
    if order.reference:
        yield "Reference", order.reference
    times = {
        "Placed": order.created_at,
        "Held until": order.hold_expires_at,
        "Completed": order.completed_at,
        "Shipped": order.shipped_at,
        "Cancelled": order.cancelled_at,
    }
    yield from ((name, date_format(localtime(time), "SHORT_DATETIME_FORMAT")) for name, time in times.items() if time)
    if order.cancel_reason:
        yield "Reason", order.cancel_reason
    yield "UUID", order.uuid
    if order.idempotency_key:
        yield "Idempotency key", order.idempotency_key
