from typing import Any

from catalog.errors import CountBelowCommitted, InsufficientStock, ProductTwice, StockMoved, UnknownProduct
from catalog.models import Product
from catalog.offers import Offer
from catalog.views.ledger import orders_shown, shown_movements
from ecommerce.errors import DomainError


class LinesOfProducts:
    """For a viewset whose body has lines that name products: its refusals point at the lines (RFC 6901)."""

    request: Any
    lines_field: str
    lines: list[dict[str, Any]]

    def told(self, error: DomainError) -> dict[str, Any]:
        told = error.data()
        if isinstance(error, UnknownProduct):
            return {"errors": [self.unknown(place) for place in self.places_of(error)]}
        if isinstance(error, InsufficientStock):
            pointers = [{"pointer": self.pointer(shortage.product)} for shortage in error.shortages]
            return told | {"shortages": [a | b for a, b in zip(pointers, told["shortages"], strict=True)]}
        if isinstance(error, StockMoved):
            told["movements"] = shown_movements(self.request, error.since)
        if isinstance(error, CountBelowCommitted):
            visible = orders_shown(self.request, (order for order, _ in error.holders))
            told["holders"] = [
                holder | {"order": holder["order"] if holder["order"] in visible else None}
                for holder in told["holders"]
            ]
        if isinstance(error, StockMoved | CountBelowCommitted | ProductTwice):
            told["pointer"] = self.pointer(error.product)
        return told

    def pointer(self, product: Product | Offer) -> str:
        place = next(place for place, line in enumerate(self.lines) if line["product"] in product.references)
        return f"/{self.lines_field}/{place}"

    def places_of(self, error: UnknownProduct) -> list[int]:
        return [place for place, line in enumerate(self.lines) if line["product"] in error.references][:20]

    def unknown(self, place: int) -> dict[str, str]:
        message = "There is no such product, or it is no longer sold."
        return {"pointer": f"/{self.lines_field}/{place}/product", "code": "unknown_product", "message": message}
