"""An order that staff place by hand: checked first, placed once, at the prices that were shown."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse

from catalog.errors import InsufficientStock, UnknownProduct
from catalog.models import Product
from ecommerce.admin import REFUSALS, sentence, staff_name
from ecommerce.errors import IdempotencyMismatch
from orders.admin.pages import OrderPage, in_words, page_of
from orders.errors import PriceChanged
from orders.forms.placing import Lines, LinesFormSet, PlaceForm, fingerprint, label_of
from orders.services import OrderRequest, Quote, place_order, quote_order

FOUND = 20


class PlacePage(OrderPage):
    permission_required = ("orders.view_order", "orders.add_order")
    template_name = "admin/orders/order/place.html"
    title = "Place an order"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(PlaceForm(), Lines())

    def post(self, request: HttpRequest) -> HttpResponse:
        form, lines = PlaceForm(request.POST), Lines(request.POST)
        if not form.is_valid() or not lines.is_valid():
            return self.show(form, lines)
        try:
            return self.check_or_place(form, lines, request_of(request, form, lines))
        except REFUSALS as refusal:
            messages.error(request, told(refusal))
            return self.show(form, lines, renew=isinstance(refusal, IdempotencyMismatch))

    def check_or_place(self, form: PlaceForm, lines: LinesFormSet, wanted: OrderRequest) -> HttpResponse:
        """Only what was checked is placed: whatever else was typed since is checked again."""
        if "place" not in self.request.POST or form.cleaned_data["checked"] != wanted.fingerprint:
            return self.check(form, lines, wanted)
        try:
            placed = place_order(replace(wanted, expected_total=form.cleaned_data["expected_total"]))
        except PriceChanged:
            messages.warning(self.request, "The prices have changed since it was checked. Look at the new ones.")
            return self.check(form, lines, wanted)
        messages.success(self.request, f"{placed.order} {'was placed already' if placed.replayed else 'is placed'}.")
        return HttpResponseRedirect(page_of(placed.order.pk))

    def check(self, form: PlaceForm, lines: LinesFormSet, wanted: OrderRequest) -> HttpResponse:
        quote = quote_order(wanted)
        return self.show(form, lines, quote=quote, checked=wanted.fingerprint, expected_total=quote.total_price)

    def show(
        self, form: PlaceForm, lines: LinesFormSet, *, quote: Quote | None = None, renew: bool = False, **checked: Any
    ) -> HttpResponse:
        if form.is_bound:
            key = {"key": uuid4()} if renew else {}
            data: Any = form.data
            form.data = {**data.dict(), "checked": "", "expected_total": "", **checked, **key}
        lines.name_products()
        return self.page(form=form, lines=lines, quote=quote, currency=settings.SHOP_CURRENCY)


def request_of(request: HttpRequest, form: PlaceForm, lines: LinesFormSet) -> OrderRequest:
    options = form.options()
    return OrderRequest(
        lines=lines.lines(),
        placed_by=staff_name(request),
        key=str(form.cleaned_data["key"]),
        fingerprint=fingerprint(lines.lines(), options),
        **options,
    )


def told(refusal: Exception) -> str:
    if isinstance(refusal, InsufficientStock):
        return f"There is not enough. {in_words(refusal.shortages)}."
    if isinstance(refusal, UnknownProduct):
        return "One of the products is not on sale any more. Choose another."
    return sentence(refusal)


class ProductsFound(OrderPage):
    """What the product box offers while somebody types: by the beginning of a SKU, or by words."""

    permission_required = "orders.add_order"

    def get(self, request: HttpRequest) -> HttpResponse:
        text = request.GET.get("term", "").replace("\x00", "").strip()[:200]
        products = Product.objects.on_sale().with_stock_apart()
        found = products.filter(Q(sku__istartswith=text) | Q(pk__in=products.found_by(text).values("pk")))
        rows = (found if text else products).order_by("name", "pk")[:FOUND]
        results = [{"id": product.pk, "text": label_of(product)} for product in rows]
        return JsonResponse({"results": results, "pagination": {"more": False}})
