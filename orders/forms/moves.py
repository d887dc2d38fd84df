"""What staff type to move an order. Each form of one order carries the version that its page has shown."""

from datetime import timedelta
from typing import Any

from django import forms
from unfold.widgets import INPUT_CLASSES

from ecommerce.forms import StaffForm
from orders.models import Order, OrderItem

MAX_HOLD = timedelta(days=7)
LINES_SHOWN = 200


class MoveForm(StaffForm):
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        self.order = order
        super().__init__(*args, **kwargs)

    def options(self) -> dict[str, Any]:
        """For the service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}

    def recorded(self) -> dict[str, Any]:
        """What the event of this move would say, so that a second click is known for one."""
        return self.options()


class NoteForm(MoveForm):
    note = forms.CharField(
        max_length=2000, widget=forms.Textarea(attrs={"rows": 2}), help_text="Staff read it in the timeline."
    )


class TrackingForm(StaffForm):
    carrier = forms.CharField(max_length=100, required=False, help_text="Who takes the parcel.")
    number = forms.CharField(max_length=100, required=False, label="Tracking number")
    url = forms.URLField(
        max_length=2000,
        required=False,
        assume_scheme="https",
        label="Tracking address",
        help_text="The page where the parcel can be followed.",
    )


class ShipForm(TrackingForm, MoveForm):
    def options(self) -> dict[str, Any]:
        return {"tracking": {name: value for name, value in super().options().items() if value} or None}

    def recorded(self) -> dict[str, Any]:
        return {"tracking": self.options()["tracking"]}


class ExtendForm(MoveForm):
    minutes = forms.IntegerField(
        min_value=1,
        max_value=MAX_HOLD // timedelta(minutes=1),
        initial=60,
        label="Minutes from now",
        help_text="A day has 1,440. At most a week.",
    )

    def options(self) -> dict[str, Any]:
        return {"hold": timedelta(minutes=self.cleaned_data["minutes"])}

    def recorded(self) -> dict[str, Any]:
        return {"seconds": self.cleaned_data["minutes"] * 60}


class CancelForm(StaffForm):
    reason = forms.CharField(max_length=1000, help_text="It stays in the timeline.")
    restock = forms.BooleanField(
        required=False,
        initial=True,
        label="Put the units on sale again",
        help_text="Otherwise they are written off.",
    )


class CancelOneForm(CancelForm, MoveForm):
    """With the units of each line that are left: all of them, unless somebody types fewer."""

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, order=order, **kwargs)
        left = [item for item in order.lines if item.remaining_quantity]
        self.lines = left if len(left) <= LINES_SHOWN else []
        self.fields |= {name_of(item): units_field(item) for item in self.lines}

    def line_rows(self) -> list[tuple[OrderItem, forms.BoundField]]:
        return [(item, self[name_of(item)]) for item in self.lines]

    def plain_rows(self) -> list[forms.BoundField]:
        return [self["version"], self["reason"], self["restock"]]

    def quantities(self) -> dict[int, int] | None:
        """Units by product id; None for the whole order."""
        wanted = {item.product_id: self.cleaned_data[name_of(item)] for item in self.lines}
        if all(wanted[item.product_id] == item.remaining_quantity for item in self.lines):
            return None
        return {product_id: quantity for product_id, quantity in wanted.items() if quantity}

    def clean(self) -> dict[str, Any]:
        if self.lines and not self.errors and self.quantities() == {}:
            raise forms.ValidationError("Name at least one unit to cancel.")
        return self.cleaned_data

    def options(self) -> dict[str, Any]:
        named = ("reason", "restock")
        return {name: self.cleaned_data[name] for name in named} | {"quantities": self.quantities()}

    def recorded(self) -> dict[str, Any]:
        told = {name: self.cleaned_data[name] for name in ("reason", "restock")}
        quantities = self.quantities()
        return told if quantities is None else told | {"quantities": {str(pk): n for pk, n in quantities.items()}}


def name_of(item: OrderItem) -> str:
    return f"units_{item.product_id}"


def units_field(item: OrderItem) -> forms.IntegerField:
    attrs = {"class": " ".join([*INPUT_CLASSES, "max-w-24!"])}
    return forms.IntegerField(
        min_value=0,
        max_value=item.remaining_quantity,
        initial=item.remaining_quantity,
        label=f"Units of {item.product_name}",
        widget=forms.NumberInput(attrs=attrs),
    )
