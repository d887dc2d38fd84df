"""Two of the staff edit one product: the second is shown what the first did, and decides."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse

from catalog.admin.history import HistoryPages
from catalog.errors import ProductChanged
from catalog.forms.products import ChangeProductForm
from catalog.models import Product, ProductChange
from catalog.services import history
from catalog.wording import in_words, label_of, told

SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Disputed:
    field: str
    seen: str
    theirs: str
    yours: str


class ConflictPage(HistoryPages):
    def conflict(self, request: HttpRequest, refusal: ProductChanged) -> HttpResponse | None:
        """None where the form is no longer a good one: then its errors are told, as of any."""
        [product] = refusal.products
        form = ChangeProductForm(request.POST, instance=Product.objects.get(pk=product.pk))
        if not form.is_valid():
            return None
        seen = ProductChange.objects.fields_at(product, form.cleaned_data["seen_version"])
        if seen is None:
            return None
        yours = {name: history.becomes(name, form.cleaned_data[name]) for name in ChangeProductForm.Meta.fields}
        since = product.changes.filter(version__gt=form.cleaned_data["seen_version"]).order_by("-version")
        context = {
            "rows": told(since[:SHOWN]),
            "disputed": disputed(product, seen=seen, yours=yours),
            "form": overwriting(product, seen=seen, yours=yours),
        }
        return self.page(request, product, "conflict", f"{product} was changed meanwhile", context)


def disputed(product: Product, *, seen: dict[str, Any], yours: dict[str, Any]) -> list[Disputed]:
    rows = []
    for name, value in yours.items():
        theirs = history.is_now(product, name)
        if theirs != seen[name] or value != seen[name]:
            kept = "not changed" if value == seen[name] else in_words(value)
            rows.append(Disputed(field=label_of(name), seen=in_words(seen[name]), theirs=in_words(theirs), yours=kept))
    return rows


def overwriting(product: Product, *, seen: dict[str, Any], yours: dict[str, Any]) -> ChangeProductForm:
    """The product as it is now, with those fields over it that you changed: a form like any, of the version of now."""
    mine = {name: value for name, value in yours.items() if value != seen[name]}
    return ChangeProductForm(instance=product, initial=mine)
