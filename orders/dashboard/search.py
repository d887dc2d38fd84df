"""Ctrl-K: an order by number, e-mail address or reference, a product by sku or words; each a few rows of an index."""

import re

from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from catalog.models import Product
from orders.models import Order

AT_MOST = 8


def search(request: HttpRequest, text: str) -> list[SearchResult]:
    """For Unfold's COMMAND. It gives the text in lower case."""
    text = request.GET.get("s", "").strip()[:200]
    results: list[SearchResult] = []
    if "\0" in text or not text:
        return results
    if request.user.has_perm("orders.view_order"):
        results += [order_result(order) for order in orders_of(text)]
    if request.user.has_perm("catalog.view_product"):
        results += [product_result(product) for product in products_of(text)]
    return results


def orders_of(text: str) -> list[Order]:
    number = re.fullmatch("#?([0-9]{1,18})", text)
    found = {order.pk: order for order in Order.objects.filter(pk=int(number[1]))} if number else {}
    by_name = [Order.objects.filter(reference=text).exclude(reference="")]
    if "@" in text:
        by_name.append(Order.objects.of_customer(text))
    for orders in by_name:
        found |= {order.pk: order for order in orders.order_by("-pk")[:AT_MOST]}
    return list(found.values())[:AT_MOST]


def products_of(text: str) -> list[Product]:
    found = {product.pk: product for product in Product.objects.filter(sku=text)}
    found |= {product.pk: product for product in Product.objects.found_by(text)[:AT_MOST]}
    return list(found.values())[:AT_MOST]


def order_result(order: Order) -> SearchResult:
    facts = [order.status, f"{order.current_total} {order.currency}", order.customer_name, order.reference]
    return SearchResult(
        title=str(order),
        description=", ".join(fact for fact in facts if fact),
        link=reverse("admin:orders_order_change", args=[order.pk]),
        icon="receipt_long",
    )


def product_result(product: Product) -> SearchResult:
    return SearchResult(
        title=product.name,
        description=f"{product.sku}, {product.price}{'' if product.is_active else ', archived'}",
        link=reverse("admin:catalog_product_change", args=[product.pk]),
        icon="sell",
    )
