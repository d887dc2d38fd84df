"""An order as staff type it."""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.core.validators import RegexValidator
from django.urls import reverse_lazy
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelect2Widget

from catalog.models import Product
from ecommerce.forms import StaffForm
from orders.forms.moves import MAX_HOLD
from orders.models import MAX_QUANTITY, MAX_TOTAL
from orders.services import Line

MAX_ROWS = 100
ADDRESS = ("name", "line1", "line2", "city", "region", "postal_code", "country", "phone")
NEEDED = ("name", "line1", "city", "postal_code", "country")


class LineForm(forms.Form):
    product = forms.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        widget=UnfoldAdminSelect2Widget(
            attrs={
                "data-ajax--url": reverse_lazy("admin:orders_order_products"),
                "data-ajax--delay": 250,
                "data-placeholder": "SKU or words",
                "data-allow-clear": "true",
                "data-width": "100%",
                "class": "admin-autocomplete",
                "aria-label": "Product",
            }
        ),
    )
    quantity = forms.IntegerField(
        min_value=1,
        max_value=MAX_QUANTITY,
        initial=1,
        widget=forms.NumberInput(attrs={"class": " ".join(INPUT_CLASSES), "aria-label": "Quantity"}),
    )


class LinesFormSet(forms.BaseFormSet):
    def name_products(self) -> None:
        """Each box shows the product that was chosen, though it has no list of all."""
        chosen = {str(form["product"].value()): form for form in self.forms if form["product"].value()}
        numbers = [number for number in chosen if number.isascii() and number.isdecimal() and len(number) < 19]
        names = {str(product.pk): label_of(product) for product in Product.objects.with_stock().filter(pk__in=numbers)}
        for form in self.forms:
            number = str(form["product"].value() or "")
            form.fields["product"].widget.choices = [("", ""), *([(number, names[number])] if number in names else [])]

    def lines(self) -> list[Line]:
        rows = [form.cleaned_data for form in self.forms]
        return [Line(row["product"], row["quantity"]) for row in rows if row.get("product")]

    def clean(self) -> None:
        if not any(self.errors) and not self.lines():
            raise forms.ValidationError("Choose at least one product.")


Lines: Any = forms.formset_factory(LineForm, formset=LinesFormSet, extra=3, max_num=MAX_ROWS, validate_max=True)


def label_of(product: Product) -> str:
    return f"{product.name} · {product.sku} · {product.price} · {product.stock.available} available"


class PlaceForm(StaffForm):
    customer_name = forms.CharField(max_length=255, required=False)
    customer_email = forms.EmailField(max_length=254, required=False)
    reference = forms.CharField(max_length=255, required=False, help_text="The customer's own number for it.")
    hold = forms.IntegerField(
        min_value=1,
        max_value=MAX_HOLD // timedelta(minutes=1),
        required=False,
        label="Hold for minutes",
        help_text="Empty: it is bought at once.",
    )
    name = forms.CharField(max_length=255, required=False, help_text="Without an address the units are taken along.")
    line1 = forms.CharField(max_length=255, required=False, label="Street")
    line2 = forms.CharField(max_length=255, required=False, label="Further line")
    postal_code = forms.CharField(max_length=32, required=False)
    city = forms.CharField(max_length=255, required=False)
    region = forms.CharField(max_length=255, required=False)
    country = forms.CharField(
        required=False,
        validators=[RegexValidator(r"\A[A-Z]{2}\Z", "Two capital letters, such as DE.")],
        help_text="Two letters.",
    )
    phone = forms.CharField(max_length=32, required=False)
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    checked = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    expected_total = forms.DecimalField(max_value=MAX_TOTAL, required=False, widget=forms.HiddenInput)

    def rows_of_customer(self) -> list[forms.BoundField]:
        return [self[name] for name in ("customer_name", "customer_email", "reference", "hold")]

    def rows_of_address(self) -> list[forms.BoundField]:
        return [self[name] for name in ADDRESS]

    def clean(self) -> dict[str, Any]:
        typed = self.cleaned_data
        if typed.get("customer_name") and not typed.get("customer_email") and "customer_email" not in self.errors:
            self.add_error("customer_email", "A customer has an email address.")
        if typed.get("customer_email") and not typed.get("customer_name") and "customer_name" not in self.errors:
            self.add_error("customer_name", "A customer has a name.")
        if any(typed.get(part) for part in ADDRESS):
            for part in NEEDED:
                if not typed.get(part) and part not in self.errors:
                    self.add_error(part, "An address needs this.")
        return typed

    def options(self) -> dict[str, Any]:
        """For an `OrderRequest`."""
        typed = self.cleaned_data
        customer = {"email": typed["customer_email"], "name": typed["customer_name"]}
        address = {part: typed[part] for part in ADDRESS if typed[part]}
        return {
            "customer": customer if customer["email"] else {},
            "ship_to": address or None,
            "reference": typed["reference"],
            "hold": timedelta(minutes=typed["hold"]) if typed["hold"] else None,
        }


def fingerprint(lines: list[Line], options: Mapping[str, Any]) -> str:
    """Of what is ordered, the price apart: tells whether it is still what was checked."""
    told = [[[line.product, line.quantity] for line in lines], dict(options)]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
