"""The transactions of an order. Each function is an entrance: it opens and commits a transaction of its own, durably,
so that what it returns has happened for good."""

from orders.services.checking import ask_for_check, run_check, run_checks_asked_for
from orders.services.completing import complete_order
from orders.services.counting import count_days
from orders.services.fulfilling import add_note, cancel_order, ship_order
from orders.services.holding import expire_holds, extend_hold
from orders.services.placing import place_order
from orders.services.quoting import quote_order
from orders.services.requests import Line, OrderRequest, Placed, Quote, products_named

__all__ = [
    "Line",
    "OrderRequest",
    "Placed",
    "Quote",
    "add_note",
    "ask_for_check",
    "cancel_order",
    "complete_order",
    "count_days",
    "expire_holds",
    "extend_hold",
    "place_order",
    "products_named",
    "quote_order",
    "run_check",
    "run_checks_asked_for",
    "ship_order",
]
