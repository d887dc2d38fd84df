"""The transactions of an order. Each function is an entrance: it opens and commits a transaction of its own, durably,
so that what it returns has happened for good."""

from orders.services.fulfilling import cancel_order, complete_order, ship_order
from orders.services.holding import expire_holds, extend_hold
from orders.services.placing import place_order
from orders.services.requests import Line, OrderRequest, Placed

__all__ = [
    "Line",
    "OrderRequest",
    "Placed",
    "cancel_order",
    "complete_order",
    "expire_holds",
    "extend_hold",
    "place_order",
    "ship_order",
]
