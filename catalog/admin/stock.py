"""Why is this 47? The ledger of a product, and the form that adds to it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.timezone import localtime

from catalog.admin.history import HistoryPages
from catalog.errors import CountBelowCommitted
from catalog.forms.stock import LedgerForm, StockMoveForm
from catalog.models import Product, StockMovement
from catalog.services import Cause, adjust_stock, count_stock, receive_stock
from catalog.wording import SENTENCES
from ecommerce.admin import REFUSALS, sentence, staff_name
from ecommerce.people import names_of

PER_PAGE = 50
HEADERS = ["Time", "What", "Available", "Committed", "Available after", "Order", "By", "Note"]
MOVES = {
    StockMovement.Kind.RECEIVED: receive_stock,
    StockMovement.Kind.ADJUSTED: adjust_stock,
    StockMovement.Kind.COUNTED: count_stock,
}


class StockPage(HistoryPages):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.stock_view)
        return [path("<int:product_id>/stock/", view, name="catalog_product_stock"), *super().get_urls()]

    def stock_view(self, request: HttpRequest, product_id: int) -> HttpResponse:
        product = self.product_of(request, str(product_id))
        may_move = request.user.has_perm("catalog.change_stock")
        if request.method == "POST" and not may_move:
            raise PermissionDenied
        form = StockMoveForm(request.POST or None)
        if form.is_valid():
            if self.move_stock(request, product, form.cleaned_data):
                return HttpResponseRedirect(reverse("admin:catalog_product_stock", args=[product_id]))
            form = form.to_correct()
        context = {"form": form if may_move else None, **ledger_of(product, LedgerForm(request.GET))}
        return self.page(request, product, "stock", f"Stock of {product}", context)

    def move_stock(self, request: HttpRequest, product: Product, moved: dict[str, Any]) -> bool:
        move = MOVES[moved["kind"]]
        cause = Cause(done_by=staff_name(request), key=str(moved["key"]), note=moved["note"])
        try:
            movement = move(product.pk, moved["quantity"], cause=cause)
        except REFUSALS as refusal:
            self.message_user(request, f"{sentence(refusal)}{holders_in(refusal)}", messages.ERROR)
            return False
        self.message_user(request, f"{movement.available_change:+} units: {movement.available_after} are available.")
        return True


def ledger_of(product: Product, form: LedgerForm) -> dict[str, Any]:
    """A page of the ledger, newest first, cut by key: as fast at its end as at its beginning."""
    asked = form.cleaned_data if form.is_valid() else {}
    movements = product.movements.order_by("-pk")
    if asked.get("show"):
        movements = movements.filter(kind=asked["show"])
    if asked.get("until"):
        movements = movements.filter(created_at__lt=asked["until"])
    if asked.get("before"):
        movements = movements.filter(pk__lt=asked["before"])
    rows = list(movements[: PER_PAGE + 1])
    older = {"before": rows[PER_PAGE - 1].pk} if len(rows) > PER_PAGE else None
    filters = {name: form.data[name] for name in ("show", "until") if form.data.get(name)}
    return {
        "filters": form,
        "ledger": {"headers": HEADERS, "rows": ledger_rows(rows[:PER_PAGE])},
        "older": urlencode(filters | older) if older else None,
        "is_narrowed": bool(filters or asked.get("before")),
    }


def ledger_rows(movements: list[StockMovement]) -> list[list[Any]]:
    names = names_of(movement.done_by for movement in movements)
    return [
        [
            date_format(localtime(movement.created_at), "DATETIME_FORMAT"),
            SENTENCES[StockMovement.Kind(movement.kind)],
            f"{movement.available_change:+,}" if movement.available_change else "",
            f"{movement.committed_change:+,}" if movement.committed_change else "",
            f"{movement.available_after:,}",
            order_link(movement),
            names[movement.done_by],
            movement.note,
        ]
        for movement in movements
    ]


def order_link(movement: StockMovement) -> str:
    if movement.order_uuid is None:
        return ""
    address = f"{reverse('admin:orders_order_changelist')}?{urlencode({'q': str(movement.order_uuid)})}"
    classes = "text-primary-600 dark:text-primary-500 whitespace-nowrap"
    return format_html('<a class="{}" href="{}">Order …{}</a>', classes, address, str(movement.order_uuid)[-6:])


def holders_in(refusal: Exception) -> str:
    if not isinstance(refusal, CountBelowCommitted):
        return ""
    return f" Held by order {', '.join(f'{order} ({quantity})' for order, quantity in refusal.holders)}."
