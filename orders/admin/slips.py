"""Packing slips: what to put into the parcel, and where it goes. A page of its own for each order, without prices."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from orders.admin.pages import OrderPage, page_of
from orders.models import Order


class SlipPage(OrderPage):
    def get(self, request: HttpRequest, order_id: int) -> HttpResponse:
        order = get_object_or_404(Order, pk=order_id)
        return slips_page(request, Order.objects.filter(pk=order_id), otherwise=page_of(order.pk))


def slips_page(request: HttpRequest, orders: QuerySet[Order], *, otherwise: str = "") -> HttpResponse:
    """Of those that wait to be shipped; what was cancelled of a line is not to be packed."""
    waiting = list(Order.objects.to_ship().filter(pk__in=orders.values("pk")).with_lines().order_by("pk"))
    if not waiting:
        messages.error(request, "None of these orders waits to be shipped: there is nothing to pack.")
        return HttpResponseRedirect(otherwise or reverse("admin:orders_order_changelist"))
    return TemplateResponse(request, "admin/orders/order/slips.html", {"orders": waiting})
