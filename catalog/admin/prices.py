"""Many prices at once: asked for, shown product by product, and only then written."""

from decimal import Decimal

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.admin.bulk import BulkEdits
from catalog.forms.prices import PriceRuleForm
from catalog.models import Product
from catalog.pricing import PriceRule
from catalog.services import ProductEdit

Preview = list[tuple[Product, Decimal | None]]


class PriceChanges(BulkEdits):
    @admin.action(description="Change the prices of the selected products", permissions=["change"])
    def change_prices(self, request: HttpRequest, products: QuerySet[Product]) -> HttpResponse | None:
        if self.are_too_many(request, products):
            return None
        form = PriceRuleForm(request.POST if "way" in request.POST else None)
        rows = preview_of(products, form.rule) if form.is_valid() else []
        impossible = any(new is None for _, new in rows)
        if "confirmed" in request.POST and rows and not impossible and self.write_prices(request, rows):
            return None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Change prices",
            "products": products,
            "form": form,
            "rows": rows,
            "impossible": impossible,
            "changing": sum(new != product.price for product, new in rows),
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return render(request, "admin/catalog/product/prices.html", context)

    def write_prices(self, request: HttpRequest, rows: Preview) -> bool:
        """All of them, as they were shown, or none."""
        seen = dict(pair.split(":", 1) for pair in request.POST.getlist("seen") if ":" in pair)
        edits = [
            ProductEdit(product_id=product.pk, changes={"price": new}, version=number_in(seen.get(str(product.pk), "")))
            for product, new in rows
        ]
        return self.write(request, edits, done="have their new price now")


def preview_of(products: QuerySet[Product], rule: PriceRule) -> Preview:
    return [(product, rule.of(product.price)) for product in products.order_by("name", "pk")]


def number_in(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
