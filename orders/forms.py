from django import forms

from ecommerce.forms import StaffForm


class CancelForm(StaffForm):
    reason = forms.CharField(max_length=1000, help_text="It stays in the timeline of each order.")
    restock = forms.BooleanField(required=False, initial=True, label="Put the units on sale again")
