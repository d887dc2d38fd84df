from dataclasses import dataclass
from typing import Any
from uuid import UUID

from catalog.models import Product, Reference, StockMovement
from catalog.offers import Offer
from ecommerce.errors import DomainError


@dataclass(frozen=True)
class Shortage:
    product: Product | Offer
    wanted: int
    available: int


def shown(shortages: list[Shortage]) -> dict[str, Any]:
    return {
        "shortages": [
            {
                "product": short.product.uuid,
                "number": short.product.pk,
                "sku": short.product.sku,
                "wanted": short.wanted,
                "available": short.available,
            }
            for short in shortages
        ]
    }


class InsufficientStock(DomainError):
    """`shortages` holds every short line, in the order of the request."""

    code = "insufficient_stock"

    def __init__(self, shortages: list[Shortage]) -> None:
        self.shortages = shortages
        product = shortages[0].product
        super().__init__(f"Insufficient stock for product {product.pk} : {product.name}")

    def data(self) -> dict[str, Any]:
        return shown(self.shortages)


class UnknownProduct(DomainError):
    """One or more do not exist, or are archived where only what is on sale will do."""

    code = "unknown_product"

    def __init__(self, *references: Reference) -> None:
        self.references = references
        first = references[0]
        super().__init__(
            f"Product with ID {first} not found" if isinstance(first, int) else "There is no such product."
        )


class ProductGone(DomainError):
    """It was there a moment ago: somebody deleted it at the same time."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("The product is gone: somebody has just deleted it.")


class ProductTwice(DomainError):
    """Once by its uuid and once by its sku, perhaps."""

    code = "product_twice"

    def __init__(self, product: Product) -> None:
        self.product = product
        super().__init__("One product stands in two lines.")


class StockMoved(DomainError):
    """Not what the caller expected lies on the shelf. `since` are the movements that explain it, newest first."""

    code = "stock_moved"

    def __init__(self, product: Product, *, expected: int, on_hand: int, since: list[StockMovement]) -> None:
        self.product = product
        self.expected = expected
        self.on_hand = on_hand
        self.since = since
        super().__init__(f"{expected} units were expected on the shelf, {on_hand} lie there.")

    def data(self) -> dict[str, Any]:
        return {"expected": self.expected, "on_hand": self.on_hand}


class CountBelowCommitted(DomainError):
    """`holders` are the orders whose units must still be on the shelf: (order uuid, quantity)."""

    code = "count_below_committed"

    def __init__(self, product: Product, *, committed: int, holders: list[tuple[UUID, int]]) -> None:
        self.product = product
        self.committed = committed
        self.holders = holders
        super().__init__(f"{committed} units are sold or held and not yet shipped, so fewer cannot be on the shelf.")

    def data(self) -> dict[str, Any]:
        return {
            "committed": self.committed,
            "holders": [{"order": order, "quantity": quantity} for order, quantity in self.holders],
        }


class SkuTaken(DomainError):
    code = "sku_taken"

    def __init__(self) -> None:
        super().__init__("Another product has this SKU.")


class VariantTaken(DomainError):
    code = "variant_taken"

    def __init__(self) -> None:
        super().__init__("Another variant of the group has these options.")


class ProductChanged(DomainError):
    """`products` are those whose version is another, as they are now."""

    code = "product_changed"

    def __init__(self, products: list[Product]) -> None:
        self.products = products
        super().__init__("Somebody else has changed the product since it was read. Look at it again.")


class ProductInUse(DomainError):
    code = "product_in_use"

    def __init__(self) -> None:
        super().__init__("The product was stocked or sold: it can be archived, not deleted.")


class ImportOutdated(DomainError):
    """What the preview of an import showed is no longer so; `lines` are those of the file that it concerns."""

    code = "import_outdated"

    def __init__(self, lines: list[int]) -> None:
        self.lines = lines
        super().__init__("Products changed since the preview was made, so nothing was imported. Look at it again.")

    def data(self) -> dict[str, Any]:
        return {"lines": self.lines}


class ImportNotOpen(DomainError):
    """`state` is what somebody, perhaps the same click a moment earlier, has made of it."""

    code = "import_not_open"

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(f"The import is {state} already.")


class ImportHasErrors(DomainError):
    code = "import_has_errors"

    def __init__(self) -> None:
        super().__init__("Some rows have errors, so nothing was imported.")
