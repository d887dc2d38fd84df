from orders.views.classic import ClassicOrderViewSet
from orders.views.keys import KeyViewSet
from orders.views.moves import OrderMoveViewSet
from orders.views.orders import EventViewSet, OrderViewSet

__all__ = ["ClassicOrderViewSet", "EventViewSet", "KeyViewSet", "OrderMoveViewSet", "OrderViewSet"]
