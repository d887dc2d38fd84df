from decimal import Decimal

from django import forms

from catalog.models import MAX_PRICE
from catalog.pricing import PriceRule
from ecommerce.forms import StaffForm


class PriceRuleForm(StaffForm):
    way = forms.ChoiceField(
        choices=[("percent", "By a percentage"), ("amount", "By an amount")], label="Change every price"
    )
    change = forms.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=-MAX_PRICE,
        max_value=MAX_PRICE,
        label="More, or with a minus less",
        help_text="10 makes a price of 50.00 into 55.00 (percentage) or 60.00 (amount).",
    )
    ending = forms.TypedChoiceField(
        choices=[("", "As it comes, to the cent"), ("0.99", ".99"), ("0.95", ".95"), ("0.00", ".00: whole")],
        coerce=Decimal,
        empty_value=None,
        required=False,
        label="Round to the nearest price that ends in",
    )

    @property
    def rule(self) -> PriceRule:
        asked = self.cleaned_data
        return PriceRule(is_percentage=asked["way"] == "percent", change=asked["change"], ending=asked["ending"])
