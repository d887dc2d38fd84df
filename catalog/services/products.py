from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from catalog.errors import ProductChanged, ProductGone, ProductInUse, SkuTaken, VariantTaken
from catalog.models import Product, ProductChange, Stock, StockMovement, make_sku
from catalog.services import history
from catalog.services.stock import Cause, Change, lock, move_and_tell


@dataclass(frozen=True, kw_only=True)
class ProductEdit:
    """Columns of one product to write; with a `version`, only if that is still the product's."""

    product_id: int
    changes: Mapping[str, Any]
    version: int | None = None


@transaction.atomic(savepoint=False)
def create_product(*, name: str, price: Decimal, stock: int = 0, sku: str = "", cause: Cause, **fields: Any) -> Product:
    """A new product with its opening stock, if any, as the first row of its ledger. Raises SkuTaken.

    `fields` are further columns of Product: description, image_url, is_active, low_stock_at.
    """
    product = Product(name=name, price=price, sku=sku or make_sku(), **fields)
    with names_are_free():
        product.save(force_insert=True)
    history.created(product, cause=cause).save(force_insert=True)
    product.stock = Stock.objects.create(product=product)
    if stock:
        move_and_tell({product.pk: Change(kind=StockMovement.Kind.OPENING, available=stock)}, cause=cause)
        product.stock.available = stock
    return product


def update_product(product_id: int, changes: Mapping[str, Any], *, version: int | None = None, cause: Cause) -> None:
    """Write these columns and no others. Raises ProductGone, SkuTaken; with a `version`, ProductChanged if it is no
    longer that of the product."""
    update_products([ProductEdit(product_id=product_id, changes=changes, version=version)], cause=cause)


@transaction.atomic(savepoint=False)
def update_products(edits: Iterable[ProductEdit], *, cause: Cause) -> list[ProductChange]:
    """All of these edits or none, each product at most once. One that changes nothing writes nothing.

    Raises as `update_product` does. The stock rows are locked first: an order that holds one checks its foreign keys
    at COMMIT, and a change of the sku would make that wait for us while we wait for the stock.
    """
    by_product = {edit.product_id: edit for edit in edits}
    products = locked_products(by_product)
    refuse_other_versions([p for p in products if by_product[p.pk].version not in (None, p.version)])
    written = []
    for product in products:
        if new := history.made_different(product, by_product[product.pk].changes):
            with names_are_free():
                Product.objects.filter(pk=product.pk).update(**new, version=F("version") + 1, updated_at=Now())
            written.append(history.changed(product, new, cause=cause))
    return ProductChange.objects.bulk_create(written)


@transaction.atomic(savepoint=False)
def delete_product(product_id: int, *, cause: Cause) -> None:
    """Delete a product that was never stocked nor sold. Raises ProductGone, ProductInUse."""
    [product] = locked_products([product_id])
    if is_in_use(product_id):
        raise ProductInUse
    delete_rows([product], cause=cause)


@transaction.atomic(savepoint=False)
def remove_product(product_id: int, *, version: int | None = None, cause: Cause) -> bool:
    """Delete a product, or archive it if it was ever stocked or sold: then False. Raises as `update_product` does."""
    [product] = locked_products([product_id])
    refuse_other_versions([product] if version not in (None, product.version) else [])
    if not is_in_use(product_id):
        delete_rows([product], cause=cause)
        return True
    update_product(product_id, {"is_active": False}, cause=cause)
    return False


def is_in_use(product_id: int) -> bool:
    """Whatever is stocked or sold has a movement."""
    return StockMovement.objects.filter(product_id=product_id).exists()


def delete_rows(products: Collection[Product], *, cause: Cause) -> None:
    ids = [product.pk for product in products]
    changes = [history.deleted(product, cause=cause) for product in products]
    Stock.objects.filter(pk__in=ids).delete()
    Product.objects.filter(pk__in=ids).delete()
    ProductChange.objects.bulk_create(changes)


def locked_products(product_ids: Collection[int]) -> list[Product]:
    """In the order of their ids, as they are once nobody else may write them. Raises ProductGone."""
    if len(lock(product_ids)) < len(product_ids):
        raise ProductGone
    return list(Product.objects.filter(pk__in=product_ids).order_by("pk"))


def refuse_other_versions(products: list[Product]) -> None:
    if products:
        raise ProductChanged(products)


TAKEN = {"product_sku_is_unique": SkuTaken, "product_variant_once": VariantTaken}


@contextmanager
def names_are_free() -> Iterator[None]:
    """Two callers may bring one sku, or be one variant, at the same moment: the database decides, this names its no."""
    try:
        yield
    except IntegrityError as error:
        for constraint, refusal in TAKEN.items():
            if constraint in str(error):
                raise refusal from None
        raise
