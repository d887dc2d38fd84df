from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from catalog.errors import ProductChanged, ProductInUse, SkuTaken
from catalog.models import Product, Stock, StockMovement, make_sku
from catalog.services.stock import Cause, Change, lock_one, move_and_tell


@transaction.atomic(savepoint=False)
def create_product(*, name: str, price: Decimal, stock: int = 0, sku: str = "", cause: Cause, **fields: Any) -> Product:
    """A new product with its opening stock, if any, as the first row of its ledger. Raises SkuTaken.

    `fields` are further columns of Product: description, image_url, is_active, low_stock_at.
    """
    product = Product(name=name, price=price, sku=sku or make_sku(), **fields)
    with sku_is_free():
        product.save(force_insert=True)
    product.stock = Stock.objects.create(product=product)
    if stock:
        move_and_tell({product.pk: Change(kind=StockMovement.Kind.OPENING, available=stock)}, cause=cause)
        product.stock.available = stock
    return product


@transaction.atomic(savepoint=False)
def update_product(product_id: int, changes: Mapping[str, Any], *, version: int | None = None) -> None:
    """Write these columns and no others. Raises ProductGone, SkuTaken; with a `version`, ProductChanged if it is no
    longer that of the product.

    The stock row is locked first: an order that holds it checks its foreign keys at COMMIT, and a change of the sku
    would make that wait for us while we wait for the stock.
    """
    lock_one(product_id)
    refuse_other_version(product_id, version)
    if not changes:
        return
    with sku_is_free():
        Product.objects.filter(pk=product_id).update(**changes, version=F("version") + 1, updated_at=Now())


@transaction.atomic(savepoint=False)
def delete_product(product_id: int) -> None:
    """Delete a product that was never stocked nor sold. Raises ProductGone, ProductInUse."""
    lock_one(product_id)
    if is_in_use(product_id):
        raise ProductInUse
    delete_rows(product_id)


@transaction.atomic(savepoint=False)
def remove_product(product_id: int, *, version: int | None = None) -> bool:
    """Delete a product, or archive it if it was ever stocked or sold: then False. Raises as `update_product` does."""
    lock_one(product_id)
    refuse_other_version(product_id, version)
    if not is_in_use(product_id):
        delete_rows(product_id)
        return True
    if Product.objects.on_sale().filter(pk=product_id).exists():
        update_product(product_id, {"is_active": False})
    return False


def is_in_use(product_id: int) -> bool:
    """Whatever is stocked or sold has a movement."""
    return StockMovement.objects.filter(product_id=product_id).exists()


def delete_rows(*product_ids: int) -> None:
    Stock.objects.filter(pk__in=product_ids).delete()
    Product.objects.filter(pk__in=product_ids).delete()


def refuse_other_version(product_id: int, version: int | None) -> None:
    """The caller holds the lock on the product's stock."""
    if version is not None and not Product.objects.filter(pk=product_id, version=version).exists():
        raise ProductChanged


@contextmanager
def sku_is_free() -> Iterator[None]:
    """Two callers may bring one sku at the same moment, so the database decides; this only gives its no a name."""
    try:
        yield
    except IntegrityError as error:
        if "product_sku_is_unique" not in str(error):
            raise
        raise SkuTaken from None
