"""How staff narrow the list of orders down. Each has an index, or is bounded by the one it is used with."""

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter, RangeNumericFilter, TextFilter

from catalog.models import IS_UUID, Product
from ecommerce.models import Client
from orders.models import Order, OrderItem, OrderQuerySet

MAX_NAMES = 200
MONEY = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")


TABS = {
    "to_ship": "To ship",
    "held": "Held",
    "done": "Shipped or handed over",
    "cancelled": "Cancelled",
    "all": "All",
}


def shown_tab(request: HttpRequest) -> str:
    """Whoever has marked rows means these; whoever searches means all orders, unless a tab was chosen too."""
    if request.method == "POST" and request.POST.get("select_across", "0") == "0":
        return "all"
    if (chosen := request.GET.get("show")) in TABS:
        return str(chosen)
    return "all" if request.GET.get("q") else "to_ship"


class ShowFilter(admin.SimpleListFilter):
    """The tabs of the list."""

    title, parameter_name = "status", "show"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.shown = shown_tab(request)
        super().__init__(request, *args)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(TABS.items())

    def choices(self, changelist: Any) -> Iterator[Any]:
        for tab, name in TABS.items():
            address = changelist.get_query_string({self.parameter_name: tab}, ["p", "o"])
            yield {"selected": tab == self.shown, "query_string": address, "display": name, "tab": tab}

    def queryset(self, request: HttpRequest, orders: Any) -> OrderQuerySet:
        return of_tab(orders, self.shown)


def of_tab(orders: OrderQuerySet, tab: str) -> OrderQuerySet:
    if tab == "to_ship":
        return orders.to_ship()
    if tab == "held":
        return orders.filter(status=Order.Status.PENDING)
    if tab == "done":
        return orders.handed_over()
    return orders.filter(status=Order.Status.CANCELLED) if tab == "cancelled" else orders


class ProductFilter(TextFilter):
    title, parameter_name = "product (SKU)", "product"

    def queryset(self, request: HttpRequest, orders: Any) -> Any:
        name = (self.value() or "").strip()
        if not name:
            return orders
        named = {"uuid": name} if IS_UUID.fullmatch(name) else {"sku__iexact": name}
        products = Product.objects.filter(**named).values("pk")
        return orders.filter(pk__in=OrderItem.objects.filter(product__in=products).values("order_id"))


class CustomerFilter(TextFilter):
    title, parameter_name = "customer (email)", "customer"

    def queryset(self, request: HttpRequest, orders: Any) -> Any:
        email = (self.value() or "").strip()
        return orders.of_customer(email) if email else orders


class PlacedByFilter(DropdownFilter):
    title, parameter_name = "placed by", "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        clients = Client.objects.order_by("name")[:MAX_NAMES]
        staff = User.objects.filter(is_staff=True).order_by("username")[:MAX_NAMES]
        return [
            ("open", "open caller"),
            *((f"app:{client.client_id}", str(client)) for client in clients),
            *((f"staff:{user.pk}", user.get_full_name() or user.username) for user in staff),
        ]

    def queryset(self, request: HttpRequest, orders: Any) -> Any:
        return orders.filter(placed_by=self.value()) if self.value() else orders


class CreatedFilter(RangeDateFilter):
    """Days of the shop, the last one included."""

    def queryset(self, request: HttpRequest, orders: Any) -> Any:
        first, last = (parse_day(self.used_parameters.get(f"{self.parameter_name}_{end}")) for end in ("from", "to"))
        if first:
            orders = orders.filter(created_at__gte=first)
        return orders.filter(created_at__lt=last + timedelta(days=1)) if last else orders


def parse_day(text: str | None) -> datetime | None:
    """Its midnight. Raises ValueError."""
    if not text:
        return None
    day = parse_date(text)
    if day is None or not 1970 <= day.year < 3000:
        raise ValueError("not a day")
    return timezone.make_aware(datetime.combine(day, time()))


class TotalFilter(RangeNumericFilter):
    def queryset(self, request: HttpRequest, orders: Any) -> Any:
        for end, lookup in (("from", "gte"), ("to", "lte")):
            if text := self.used_parameters.get(f"{self.parameter_name}_{end}"):
                orders = orders.filter(**{f"total_price__{lookup}": amount(text)})
        return orders


def amount(text: str) -> Decimal:
    if not MONEY.fullmatch(text):
        raise ValueError("not an amount")
    return Decimal(text)
