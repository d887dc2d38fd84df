from typing import Any
from uuid import uuid4

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget

from catalog.models import MAX_STOCK, StockMovement
from catalog.wording import SENTENCES
from ecommerce.forms import StaffForm

Kind = StockMovement.Kind


class StockMoveForm(StaffForm):
    """One move by a person. The hidden key makes a double click count once."""

    kind = forms.ChoiceField(
        choices=[
            (Kind.RECEIVED, "Receive: units arrived"),
            (Kind.ADJUSTED, "Adjust: add or remove units"),
            (Kind.COUNTED, "Count: this many lie on the shelf"),
        ],
        widget=UnfoldAdminRadioSelectWidget,
        initial=Kind.RECEIVED,
    )
    quantity = forms.IntegerField(min_value=-MAX_STOCK, max_value=MAX_STOCK)
    note = forms.CharField(
        max_length=1000, required=False, help_text="The delivery, the reason. An adjustment needs one."
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def to_correct(self) -> "StockMoveForm":
        """The same words, for another try: under a key of its own, since this one may be spent."""
        return StockMoveForm(initial={name: self.cleaned_data[name] for name in ("kind", "quantity", "note")})

    def clean(self) -> dict[str, Any]:
        moved = self.cleaned_data
        kind, quantity = moved.get("kind"), moved.get("quantity")
        if quantity is None:
            return moved
        if kind == Kind.RECEIVED and quantity < 1:
            self.add_error("quantity", "At least one unit must have arrived.")
        if kind == Kind.COUNTED and quantity < 0:
            self.add_error("quantity", "A shelf cannot hold fewer than none.")
        if kind == Kind.ADJUSTED and quantity == 0:
            self.add_error("quantity", "Say how many units to add, or with a minus to remove.")
        if kind == Kind.ADJUSTED and not moved.get("note"):
            self.add_error("note", "Say why the stock is adjusted.")
        return moved


class LedgerForm(StaffForm):
    """Which part of the ledger is shown."""

    show = forms.ChoiceField(
        choices=[("", "Everything"), *((kind.value, SENTENCES[kind]) for kind in Kind)], required=False, label="Show"
    )
    until = forms.DateTimeField(
        required=False, label="Before", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False, widget=forms.HiddenInput)
