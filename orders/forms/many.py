"""What staff type to move many orders at once; of each the version that was shown."""

from collections.abc import Iterable
from typing import Any

from django import forms
from unfold.widgets import INPUT_CLASSES

from ecommerce.forms import StaffForm
from orders.forms.moves import CancelForm, TrackingForm
from orders.models import Order


class ManyForm(StaffForm):
    def __init__(self, *args: Any, orders: Iterable[Order], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.orders = list(orders)
        self.common = list(self.fields)
        for order in self.orders:
            self.fields |= self.fields_of(order)

    def fields_of(self, order: Order) -> dict[str, forms.Field]:
        version = forms.IntegerField(min_value=1, initial=order.version, widget=forms.HiddenInput)
        return {f"version_{order.pk}": version}

    def common_rows(self) -> list[forms.BoundField]:
        return [self[name] for name in self.common]

    def order_rows(self) -> list[tuple[Order, list[forms.BoundField]]]:
        return [(order, [self[name] for name in self.fields_of(order)]) for order in self.orders]

    def options_of(self, order: Order) -> dict[str, Any]:
        return {"version": self.cleaned_data[f"version_{order.pk}"]}


class CancelManyForm(CancelForm, ManyForm):
    def options_of(self, order: Order) -> dict[str, Any]:
        return super().options_of(order) | {name: self.cleaned_data[name] for name in self.common}


class ShipManyForm(ManyForm):
    carrier = TrackingForm.base_fields["carrier"]

    def fields_of(self, order: Order) -> dict[str, forms.Field]:
        attrs = {"class": " ".join(INPUT_CLASSES), "placeholder": "Tracking number"}
        number = forms.CharField(
            max_length=100,
            required=False,
            label=f"Tracking number of {order}",
            widget=forms.TextInput(attrs=attrs),
        )
        return super().fields_of(order) | {f"number_{order.pk}": number}

    def options_of(self, order: Order) -> dict[str, Any]:
        typed = {"carrier": self.cleaned_data["carrier"], "number": self.cleaned_data[f"number_{order.pk}"]}
        return super().options_of(order) | {"tracking": {name: value for name, value in typed.items() if value} or None}
