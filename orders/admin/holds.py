"""Who holds stock now, and until when."""

from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse

from catalog.models import Product
from ecommerce.paginator import CappedPaginator
from ecommerce.people import names_of
from orders.admin.pages import OrderPage
from orders.models import Order, OrderItem, OrderQuerySet

PER_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class Hold:
    order: Order
    who: str
    items: list[OrderItem]
    seconds: int

    @property
    def units(self) -> int:
        return sum(item.remaining_quantity for item in self.items)


class HoldsPage(OrderPage):
    template_name = "admin/orders/order/holds.html"
    title = "Holds"

    def get(self, request: HttpRequest) -> HttpResponse:
        product = chosen_product(request.GET.get("product", ""))
        page = CappedPaginator(held(product), PER_PAGE).get_page(request.GET.get("page"))
        may_move = request.user.has_perm("orders.change_order")
        return self.page(product=product, page_of_holds=page, holds=holds_on(page, product), may_move=may_move)


def chosen_product(number: str) -> Product | None:
    if not number:
        return None
    found = Product.objects.with_stock().filter(pk=number).first() if number.isascii() and number.isdecimal() else None
    if found is None:
        raise Http404
    return found


def held(product: Product | None) -> OrderQuerySet:
    """Those whose hold is over stand first: the next sweep, or the next order that is short, frees them."""
    orders = Order.objects.filter(status=Order.Status.PENDING).annotate(read_at=Now()).with_lines()
    if product is not None:
        orders = orders.filter(pk__in=OrderItem.objects.filter(product=product).values("order_id"))
    return orders.order_by("hold_expires_at", "pk")


def holds_on(page: Any, product: Product | None) -> list[Hold]:
    orders = list(page)
    names = names_of(order.placed_by for order in orders)
    return [
        Hold(
            order=order,
            who=names[order.placed_by],
            items=[item for item in order.lines if product is None or item.product_id == product.pk],
            seconds=round((order.hold_expires_at - order.read_at).total_seconds()),
        )
        for order in orders
    ]
