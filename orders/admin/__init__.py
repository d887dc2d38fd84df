from orders.admin.orders import OrderAdmin
from orders.dashboard.checks import BooksCheckAdmin

__all__ = ["BooksCheckAdmin", "OrderAdmin"]
