"""What happened to an order, in sentences."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ecommerce.people import names_of
from orders.models import Order, OrderEvent

Kind = OrderEvent.Kind
ICONS = {
    Kind.PLACED: "shopping_cart",
    Kind.COMPLETED: "check_circle",
    Kind.SHIPPED: "local_shipping",
    Kind.CANCELLED: "cancel",
    Kind.ITEMS_CANCELLED: "remove_shopping_cart",
    Kind.HOLD_EXPIRED: "timer_off",
    Kind.HOLD_EXTENDED: "more_time",
    Kind.NOTE_ADDED: "sticky_note_2",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    who: str
    when: datetime
    what: str
    words: str  # what somebody wrote: a note, a reason
    icon: str
    link: str
    request_id: str


def timeline_of(order: Order) -> list[Entry]:
    """Of an order that was read `with_lines`; the oldest first."""
    return entries(order, order.events.order_by("pk"))


def entries(order: Order, events: Iterable[OrderEvent]) -> list[Entry]:
    events = list(events)
    names = names_of(event.done_by for event in events)
    products = {str(item.product_id): item.product_name for item in order.lines}
    return [entry(event, who=names[event.done_by], products=products) for event in events]


def entry(event: OrderEvent, *, who: str, products: Mapping[str, str]) -> Entry:
    tracking = event.data.get("tracking") or {}
    return Entry(
        who=who,
        when=event.created_at,
        what=SENTENCES[event.kind](event.data, products),
        words=event.data.get("note") or event.data.get("reason") or "",
        icon=ICONS[Kind(event.kind)],
        link=tracking.get("url", ""),
        request_id=event.request_id,
    )


def since(order: Order, version: int) -> list[Entry]:
    """What was done to it since somebody saw it at this version: each writes one event."""
    newest = order.events.order_by("-pk")[: max(order.version - version, 0)]
    return entries(order, reversed(newest))


def units(quantities: Mapping[str, int], products: Mapping[str, str]) -> str:
    return ", ".join(f"{quantity} x {products.get(pk, f'product {pk}')}" for pk, quantity in quantities.items())


def fate(data: Mapping[str, Any]) -> str:
    return "on sale again" if data.get("restock", True) else "written off"


def completed(data: Mapping[str, Any], products: Mapping[str, str]) -> str:
    if "retaken" not in data:
        return "completed the order"
    return f"completed the order after its hold was over: taken again were {units(data['retaken'], products)}"


def shipped(data: Mapping[str, Any], products: Mapping[str, str]) -> str:
    tracking = data.get("tracking") or {}
    return "shipped the order" + "".join(
        f" {word} {tracking[name]}" for word, name in (("with", "carrier"), ("as", "number")) if tracking.get(name)
    )


def cancelled(data: Mapping[str, Any], products: Mapping[str, str]) -> str:
    return f"cancelled the order; {fate(data)}: {units(data.get('quantities', {}), products)}"


def items_cancelled(data: Mapping[str, Any], products: Mapping[str, str]) -> str:
    return f"cancelled {units(data.get('quantities', {}), products)}; {fate(data)}"


def extended(data: Mapping[str, Any], products: Mapping[str, str]) -> str:
    return f"extended the hold: {in_minutes(data['seconds'])} from then"


def in_minutes(seconds: int) -> str:
    minutes = timedelta(seconds=seconds) // timedelta(minutes=1)
    return f"{minutes} minutes" if minutes else f"{seconds} seconds"


SENTENCES: dict[str, Callable[[Mapping[str, Any], Mapping[str, str]], str]] = {
    Kind.PLACED: lambda data, products: "placed the order",
    Kind.COMPLETED: completed,
    Kind.SHIPPED: shipped,
    Kind.CANCELLED: cancelled,
    Kind.ITEMS_CANCELLED: items_cancelled,
    Kind.HOLD_EXPIRED: lambda data, products: (
        f"ended the hold, which was over; on sale again: {units(data.get('quantities', {}), products)}"
    ),
    Kind.HOLD_EXTENDED: extended,
    Kind.NOTE_ADDED: lambda data, products: "noted",
}
