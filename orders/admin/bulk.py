"""Moves of many orders at once: each in a transaction of its own, so what one refuses does not undo another."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ecommerce.admin import REFUSALS, sentence, staff_name
from orders.admin.slips import slips_page
from orders.admin.timeline import since
from orders.errors import OrderChanged
from orders.forms.many import CancelManyForm, ManyForm, ShipManyForm
from orders.models import Order
from orders.services import cancel_order, ship_order

AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class BulkMove:
    title: str
    form_class: type[ManyForm]
    service: Callable[..., Order]
    button: str
    variant: str
    done: str


SHIP = BulkMove(
    title="Mark orders as shipped",
    form_class=ShipManyForm,
    service=ship_order,
    button="Mark these orders as shipped",
    variant="primary",
    done="shipped",
)
CANCEL = BulkMove(
    title="Cancel orders",
    form_class=CancelManyForm,
    service=cancel_order,
    button="Cancel these orders",
    variant="danger",
    done="cancelled",
)


class BulkMoves:
    """Actions of the list. Each asks on a page first, and moves an order at the version that this page has shown."""

    admin_site: admin.AdminSite
    message_user: Callable[..., None]

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.change_order")

    @admin.action(description="Mark as shipped", permissions=["manage"])
    def mark_shipped(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        return self.ask_and_move(request, orders, SHIP)

    @admin.action(description="Cancel", permissions=["manage"])
    def cancel(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        return self.ask_and_move(request, orders, CANCEL)

    @admin.action(description="Print packing slips", permissions=["view"])
    def print_slips(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        return None if self.are_too_many(request, orders) else slips_page(request, orders)

    def ask_and_move(self, request: HttpRequest, orders: QuerySet[Order], bulk: BulkMove) -> HttpResponse | None:
        if self.are_too_many(request, orders):
            return None
        form = bulk.form_class(request.POST if "confirmed" in request.POST else None, orders=orders.order_by("pk"))
        if form.is_valid():
            self.move_each(request, form, bulk)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": bulk.title,
            "bulk": bulk,
            "form": form,
            "action": request.POST["action"],
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/orders/order/many.html", context)

    def are_too_many(self, request: HttpRequest, orders: QuerySet[Order]) -> bool:
        too_many = orders.order_by()[: AT_ONCE + 1].count() > AT_ONCE
        if too_many:
            self.message_user(request, f"At most {AT_ONCE} orders at once: nothing was done.", messages.ERROR)
        return too_many

    def move_each(self, request: HttpRequest, form: ManyForm, bulk: BulkMove) -> None:
        moved = 0
        for order in form.orders:
            options = form.options_of(order)
            try:
                bulk.service(order.pk, done_by=staff_name(request), **options)
                moved += 1
            except REFUSALS as refusal:
                told = why(refusal, order, seen=options["version"])
                self.message_user(request, f"Order {order.pk}: {told}", messages.ERROR)
        if moved:
            orders_are = "1 order is" if moved == 1 else f"{moved} orders are"
            self.message_user(request, f"{orders_are} {bulk.done} now.", messages.SUCCESS)


def why(refusal: Exception, order: Order, *, seen: int) -> str:
    if not isinstance(refusal, OrderChanged):
        return sentence(refusal)
    order = Order.objects.with_lines().get(pk=order.pk)
    return (
        f"nothing was done, since {'; '.join(f'{entry.who} {entry.what}' for entry in since(order, seen))} meanwhile."
    )
