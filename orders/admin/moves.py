"""The pages on which one order is moved."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from ecommerce.admin import REFUSALS, sentence, staff_name
from orders.admin.pages import HOLDS, OrderPage, in_words, page_of
from orders.admin.timeline import since
from orders.errors import HoldExpired, OrderChanged
from orders.forms.moves import CancelOneForm, ExtendForm, MoveForm, NoteForm, ShipForm
from orders.models import Order, OrderEvent
from orders.services import add_note, cancel_order, complete_order, extend_hold, ship_order

Kind = OrderEvent.Kind


class MovePage(OrderPage):
    """Asks what a move needs, and does it once: at the version of the order that its page has shown."""

    permission_required = ("orders.view_order", "orders.change_order")
    template_name = "admin/orders/order/move.html"
    form_class: type[MoveForm] = MoveForm
    move = ""
    service: Callable[..., Any]
    kinds: tuple[OrderEvent.Kind, ...] = ()
    button = ""
    variant = "primary"
    done = ""

    @cached_property
    def order(self) -> Order:
        return get_object_or_404(Order.objects.with_lines(), pk=self.kwargs["order_id"])

    def get(self, request: HttpRequest, order_id: int) -> HttpResponse:
        if not self.is_legal():
            return self.refused(f"{self.order} is {self.order.status}: this cannot be done to it now.")
        return self.ask(self.form_class(order=self.order, initial={"version": self.order.version}))

    def post(self, request: HttpRequest, order_id: int) -> HttpResponse:
        form = self.form_class(request.POST, order=self.order)
        if not form.is_valid():
            return self.ask(form)
        try:
            self.service(order_id, done_by=staff_name(request), version=form.cleaned_data["version"], **form.options())
        except OrderChanged:
            return self.overtaken(form)
        except REFUSALS as refusal:
            return self.refused(f"{sentence(refusal)}{details(refusal)}")
        messages.success(request, self.done)
        return self.back()

    def is_legal(self) -> bool:
        return self.move in self.order.legal_moves

    def ask(self, form: MoveForm) -> HttpResponse:
        shown = {"object": self.order, "order": self.order, "form": form, "move": self}
        return self.page(title=f"{self.title} {self.order.pk}", **shown)

    def overtaken(self, form: MoveForm) -> HttpResponse:
        """Somebody was faster: this very person with a second click, or another."""
        del self.order
        if self.was_done(form):
            messages.info(self.request, f"This was done already. {self.done}")
            return self.back()
        happened = "; ".join(f"{entry.who} {entry.what}" for entry in since(self.order, form.cleaned_data["version"]))
        told = f"Nothing was done: the order has changed since you looked. {happened}."
        if not self.is_legal():
            return self.refused(told)
        messages.warning(self.request, f"{told} Look again, and repeat it if it is still right.")
        return self.ask(self.form_class(order=self.order, initial=form.cleaned_data | {"version": self.order.version}))

    def was_done(self, form: MoveForm) -> bool:
        later = self.order.version - form.cleaned_data["version"]
        first = self.order.events.order_by("-pk")[max(later - 1, 0) :].first()
        return (
            first is not None
            and first.kind in self.kinds
            and first.done_by == staff_name(self.request)
            and all(first.data.get(name) == value for name, value in form.recorded().items())
        )

    def refused(self, told: str) -> HttpResponse:
        messages.error(self.request, told)
        return self.back()

    def back(self) -> HttpResponse:
        holds = self.request.GET.get("back") == "holds"
        return HttpResponseRedirect(reverse(HOLDS) if holds else page_of(self.kwargs["order_id"]))


def details(refusal: Exception) -> str:
    return f" {in_words(refusal.shortages)}." if isinstance(refusal, HoldExpired) else ""


class CompletePage(MovePage):
    move, kinds = "complete", (Kind.COMPLETED,)
    service = staticmethod(complete_order)
    title, button, done = "Complete order", "Complete it", "The order is completed."


class ShipPage(MovePage):
    form_class = ShipForm
    move, kinds = "ship", (Kind.SHIPPED,)
    service = staticmethod(ship_order)
    title, button, done = "Ship order", "Mark as shipped", "The order is shipped."


class CancelPage(MovePage):
    form_class = CancelOneForm
    template_name = "admin/orders/order/cancel_one.html"
    move, kinds = "cancel", (Kind.CANCELLED, Kind.ITEMS_CANCELLED)
    service = staticmethod(cancel_order)
    title, button, variant, done = "Cancel order", "Cancel these units", "danger", "The units are cancelled."


class ExtendPage(MovePage):
    form_class = ExtendForm
    move, kinds = "extend", (Kind.HOLD_EXTENDED,)
    service = staticmethod(extend_hold)
    title, button, done = "Extend the hold of order", "Extend the hold", "The hold is extended."


class NotePage(MovePage):
    form_class = NoteForm
    kinds = (Kind.NOTE_ADDED,)
    service = staticmethod(add_note)
    title, button, done = "Note on order", "Add the note", "The note is in the timeline."

    def is_legal(self) -> bool:
        return True


PAGES: dict[str, type[MovePage]] = {
    "complete": CompletePage,
    "ship": ShipPage,
    "extend": ExtendPage,
    "cancel": CancelPage,
    "note": NotePage,
}
