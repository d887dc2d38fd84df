from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import URLPattern, path
from unfold.decorators import display

from catalog.models import IS_UUID
from ecommerce.admin import ReadOnly, ShopAdmin, ShopList
from ecommerce.downloads import Downloads
from ecommerce.people import names_of
from orders.admin.bulk import BulkMoves
from orders.admin.filters import (
    CreatedFilter,
    CustomerFilter,
    PlacedByFilter,
    ProductFilter,
    ShowFilter,
    TotalFilter,
    of_tab,
    shown_tab,
)
from orders.admin.holds import HoldsPage
from orders.admin.moves import PAGES
from orders.admin.order_page import LABELS, OrderDetailPage, state_of
from orders.admin.pages import OrderPage
from orders.admin.placing import PlacePage, ProductsFound
from orders.admin.slips import SlipPage
from orders.exporting import OF_ORDERS
from orders.models import Order, OrderQuerySet

ORDERINGS = {"to_ship": ("pk",), "held": ("hold_expires_at", "pk")}
COUNTED = ("to_ship", "held")
MAX_COUNT = 999


class OrderList(ShopList):
    def get_results(self, request: HttpRequest) -> None:
        """With the people of a page named at once, and of its orders nothing but what is shown."""
        super().get_results(request)
        self.result_list = list(self.result_list.with_lines())
        names = names_of(order.placed_by for order in self.result_list)
        for order in self.result_list:
            order.placed_by_name = names[order.placed_by]

    @property
    def tabs(self) -> list[dict[str, Any]]:
        [choices] = [spec.choices(self) for spec in self.filter_specs if isinstance(spec, ShowFilter)]
        return [choice | {"count": few(choice["tab"])} for choice in choices]


def few(tab: str) -> str:
    """How many there are, where that is work to do: so far as it matters, from the index of just these."""
    if tab not in COUNTED:
        return ""
    found = of_tab(Order.objects.all(), tab).order_by()[: MAX_COUNT + 1].count()
    return f"{MAX_COUNT}+" if found > MAX_COUNT else str(found)


@admin.register(Order)
class OrderAdmin(BulkMoves, Downloads, ReadOnly, ShopAdmin):
    downloads = OF_ORDERS
    list_display = ("number", "state", "customer", "units", "total", "destination", "placed_by_name", "created_at")
    list_display_links = ("number",)
    list_filter = (
        ShowFilter,
        ("created_at", CreatedFilter),
        ("total_price", TotalFilter),
        ProductFilter,
        CustomerFilter,
        PlacedByFilter,
    )
    list_filter_submit = True
    list_before_template = "admin/orders/order/tabs.html"
    list_per_page = 50
    search_fields = ("pk",)
    search_help_text = "Number, UUID, email, reference or words"
    sortable_by = ("number",)
    actions = ("print_slips", "mark_shipped", "cancel")

    @display(description="order", ordering="pk")
    def number(self, order: Order) -> str:
        return f"#{order.pk}"

    @display(description="status", label=LABELS)
    def state(self, order: Order) -> str:
        return state_of(order)

    @display(description="customer")
    def customer(self, order: Order) -> str:
        return order.customer_name or order.customer_email or "—"

    @display(description="units")
    def units(self, order: Order) -> str:
        return f"{sum(item.remaining_quantity for item in order.lines):,}"

    @display(description="total")
    def total(self, order: Order) -> str:
        return f"{order.current_total:,} {order.currency}"

    @display(description="ship to", empty_value="—")
    def destination(self, order: Order) -> str | None:
        return (
            ", ".join(order.ship_to[at] for at in ("city", "country") if at in order.ship_to) if order.ship_to else None
        )

    @display(description="placed by")
    def placed_by_name(self, order: Any) -> str:
        return str(order.placed_by_name)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ShopList]:
        return OrderList

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        return ORDERINGS.get(shown_tab(request), ("-pk",))

    def get_search_results(self, request: HttpRequest, orders: Any, search_term: str) -> tuple[OrderQuerySet, bool]:
        text = search_term.strip().removeprefix("#")
        if IS_UUID.fullmatch(text):
            return orders.filter(uuid=UUID(text)), False
        return (orders.found_by(text) if text else orders), False

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return request.user.has_perm("orders.add_order")

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **__: Any) -> Any:
        """A page of our own: what is shown is moved by its buttons, and nothing is typed over."""
        if request.method != "GET":
            raise PermissionDenied
        return OrderDetailPage.as_view()(request, order_id=object_id)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        holds, place, products = HoldsPage.as_view(), PlacePage.as_view(), ProductsFound.as_view()
        pages: dict[str, type[OrderPage]] = {"slip": SlipPage, **PAGES}
        return [
            path("holds/", view(holds), name="orders_order_holds"),
            path("add/", view(place), name="orders_order_add"),
            path("products/", view(products), name="orders_order_products"),
            *(
                path(f"<int:order_id>/{name}/", view(page.as_view()), name=f"orders_order_{name}")
                for name, page in pages.items()
            ),
            *super().get_urls(),
        ]
