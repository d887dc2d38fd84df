"""What is sold."""

from collections.abc import Iterable
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models.ids import COLUMN_OF, UUID_FORM, Reference, make_sku, make_uuid
from ecommerce.search import Words, query_of

MAX_PRICE = Decimal("9999999999.99")
WORDS = Words("name", "description", "sku")
SHOWN = ["id", "uuid", "sku", "name", "description", "price", "image_url", "is_active", "created_at", "updated_at"]


class ProductQuerySet(models.QuerySet["Product"]):
    def on_sale(self) -> "ProductQuerySet":
        return self.filter(is_active=True)

    def with_stock(self) -> "ProductQuerySet":
        return self.select_related("stock")

    def with_stock_apart(self) -> "ProductQuerySet":
        """For pages of a list: PostgreSQL may merge two tables from their first rows on, however deep the page is."""
        return self.prefetch_related("stock")

    def as_shown(self) -> models.QuerySet["Product", Any]:
        """What programs see of each, as a plain row: a page of instances takes twice as long.

        Its stock is looked up for it, not joined, for the reason above.
        """
        from catalog.models.stock import Stock  # which knows products, and so comes after them

        stock = Stock.objects.filter(pk=models.OuterRef("pk"))
        counters = {name: models.Subquery(stock.values(name)) for name in ("available", "committed")}
        rows: models.QuerySet[Product, Any] = self.annotate(**counters).values_list(
            "version", *SHOWN, *counters, named=True
        )
        return rows

    def found_by(self, text: str) -> "ProductQuerySet":
        query = query_of(text)
        return self.alias(words=WORDS).filter(words=query) if query else self.none()

    def referred_to(self, references: Iterable[Reference]) -> "ProductQuerySet":
        by_column: dict[str, list[Reference]] = {}
        for reference in references:
            by_column.setdefault(COLUMN_OF[type(reference)], []).append(reference)
        return self.filter(reduce(or_, (Q((f"{column}__in", names)) for column, names in by_column.items())))


class ProductGroupQuerySet(models.QuerySet["ProductGroup"]):
    def locked(self, handles: Iterable[str]) -> "ProductGroupQuerySet":
        """Lock these until the transaction ends, in one order for everybody."""
        return self.filter(handle__in=handles).order_by("handle").select_for_update(no_key=True)

    def titles(self) -> dict[str, str]:
        """By handle."""
        return dict(self.values_list("handle", "title"))


class ProductGroup(models.Model):
    """Products that are one thing in several variants, such as a shirt in its sizes. It is never sold itself."""

    handle = models.CharField(max_length=255, help_text="Its short name in addresses and files.")
    title = models.CharField(max_length=255, blank=True)

    objects = ProductGroupQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="group_handle_is_unique", fields=["handle"]),
            models.CheckConstraint(name="group_handle_is_given", condition=~Q(handle="")),
        ]

    def __str__(self) -> str:
        return self.title or self.handle


class Product(models.Model):
    """What is sold. Its id is the classic `product_id`; its uuid is what newer programs use."""

    uuid = models.UUIDField(default=make_uuid, unique=True, editable=False)
    sku = models.CharField(
        max_length=64,
        default=make_sku,
        verbose_name="SKU",
        validators=[RegexValidator(UUID_FORM, "A SKU must not have the form of a UUID.", inverse_match=True)],
        help_text="The shop's own number for it. An archived product keeps its own.",
    )
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    price = models.DecimalField(
        max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(MAX_PRICE)]
    )
    image_url = models.URLField(max_length=2000, blank=True, verbose_name="picture URL")
    is_active = models.BooleanField(
        default=True, verbose_name="on sale", help_text="A product that is not on sale is archived: no list shows it."
    )
    low_stock_at = models.PositiveIntegerField(
        null=True, blank=True, help_text="Mark it as low from this many available units downwards."
    )
    group = models.ForeignKey(
        ProductGroup, on_delete=models.PROTECT, null=True, blank=True, related_name="variants", db_index=False
    )
    options = models.JSONField(default=list, blank=True, help_text='In order: [["Size", "S"], ["Colour", "Blue"]].')
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        indexes = [  # one for each ordering of the list, and its search
            models.Index(name="product_on_sale", fields=["id"], condition=Q(is_active=True)),
            models.Index(name="product_by_name", fields=["name", "id"]),
            models.Index(name="product_by_price", fields=["price", "id"]),
            models.Index(name="product_by_update", fields=["updated_at", "id"]),
            GinIndex(WORDS, name="product_words"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="product_sku_is_unique", fields=["sku"], violation_error_message="Another product has this SKU."
            ),
            models.UniqueConstraint(
                name="product_variant_once",
                fields=["group", "options"],
                violation_error_message="Another variant of the group has these options.",
            ),
            models.CheckConstraint(name="product_sku_is_given", condition=~Q(sku="")),
            models.CheckConstraint(name="product_name_is_given", condition=~Q(name="")),
            # The upper bound also bars NaN, which PostgreSQL holds to be greater than every number.
            models.CheckConstraint(name="product_price_in_range", condition=Q(price__gt=0, price__lte=MAX_PRICE)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def references(self) -> tuple[int, UUID, str]:
        """Every way to name it. Of different types, so that a sku of digits is no number."""
        return self.pk, self.uuid, self.sku
