from collections.abc import Sequence

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.errors import ProductChanged
from catalog.models import Product
from catalog.services import Cause, ProductEdit, update_products
from ecommerce.admin import REFUSALS, ShopAdmin, sentence, staff_name

AT_ONCE = 500
NAMED = 10


class BulkEdits(ShopAdmin):
    """Edits of the products that are ticked in the list: all of them or none."""

    @admin.action(description="Archive the selected products", permissions=["change"])
    def archive(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self.set_on_sale(request, products, is_active=False)

    @admin.action(description="Put the selected products on sale again", permissions=["change"])
    def put_on_sale(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self.set_on_sale(request, products, is_active=True)

    def set_on_sale(self, request: HttpRequest, products: QuerySet[Product], *, is_active: bool) -> None:
        if self.are_too_many(request, products):
            return
        ids = products.order_by("pk").values_list("pk", flat=True)
        edits = [ProductEdit(product_id=pk, changes={"is_active": is_active}) for pk in ids]
        self.write(request, edits, done=f"are {'on' if is_active else 'off'} sale now")

    def are_too_many(self, request: HttpRequest, products: QuerySet[Product]) -> bool:
        too_many = products.order_by()[: AT_ONCE + 1].count() > AT_ONCE
        if too_many:
            self.message_user(request, f"At most {AT_ONCE} products at once: nothing was done.", messages.ERROR)
        return too_many

    def write(self, request: HttpRequest, edits: Sequence[ProductEdit], *, done: str) -> bool:
        try:
            written = update_products(edits, cause=Cause(done_by=staff_name(request)))
        except REFUSALS as refusal:
            self.message_user(request, f"{sentence(refusal)}{products_in(refusal)}", messages.ERROR)
            return False
        self.message_user(request, f"{len(written)} products {done}.", messages.SUCCESS)
        return True


def products_in(refusal: Exception) -> str:
    if not isinstance(refusal, ProductChanged):
        return ""
    more = len(refusal.products) - NAMED
    names = ", ".join(str(product) for product in refusal.products[:NAMED])
    return f" Nothing was changed. It is about: {names}{f' and {more} more' if more > 0 else ''}."
