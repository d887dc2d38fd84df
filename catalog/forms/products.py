from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import BASE_CLASSES, UnfoldAdminDecimalFieldWidget

from catalog.models import MAX_STOCK, Product
from ecommerce.forms import StaffForm

NARROW = [*BASE_CLASSES, "px-3", "py-2", "w-32"]


class ProductForm(forms.ModelForm):
    image_url = forms.URLField(max_length=2000, required=False, assume_scheme="https", label="Picture URL")

    class Meta:
        model = Product
        fields = ("name", "sku", "price", "description", "image_url", "low_stock_at", "is_active")

    def clean_description(self) -> str:
        """A browser sends lines with an end of its own, which is no change."""
        return str(self.cleaned_data["description"]).replace("\r\n", "\n")


class ChangeProductForm(ProductForm):
    """Its stock is not typed over, it is moved. The version is that of the product as it was looked at."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen_version"].initial = self.instance.version


class NewProductForm(ProductForm):
    stock = forms.IntegerField(
        min_value=0, max_value=MAX_STOCK, initial=0, label="Opening stock", help_text="The first row of its ledger."
    )


class PriceInput(UnfoldAdminDecimalFieldWidget):  # type: ignore[misc]
    """In a row of the list, with the version of the product beside it."""

    version: Any = None  # (name, value)

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        hidden = format_html('<input type="hidden" name="{}" value="{}">', *self.version)
        return SafeString(super().render(*args, **kwargs)) + hidden


class PriceForm(forms.ModelForm):
    """A row of the list. Only a price that was typed is a change, whatever the product's is meanwhile."""

    seen_version = forms.IntegerField()

    class Meta:
        model = Product
        fields = ("price",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        price = self.fields["price"]
        price.widget = PriceInput()
        price.widget.attrs |= {"aria-label": f"Price of {self.instance}", "class": " ".join(NARROW)}
        price.widget.version = (self.add_prefix("seen_version"), self.instance.version)
        price.show_hidden_initial = True

    def has_changed(self) -> bool:
        return "price" in self.changed_data

    def clean(self) -> dict[str, Any] | None:
        """Shown again, the row has the version of now: saved once more, it overwrites knowingly."""
        seen = self.cleaned_data.get("seen_version")
        current = Product.objects.filter(pk=self.instance.pk).first()
        if self.has_changed() and current and seen != current.version:
            self.add_error("price", f"Changed meanwhile, to {current.price}. Save again to overwrite that.")
        return self.cleaned_data


class DeletedForm(StaffForm):
    """Which of the deleted products are shown."""

    q = forms.CharField(max_length=255, required=False, label="Name or SKU")
