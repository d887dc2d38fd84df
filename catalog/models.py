import secrets
from base64 import b32encode
from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Cast, Now
from uuid_utils import compat

MAX_PRICE = Decimal("9999999999.99")
MAX_STOCK = 1_000_000_000
MOVED_BY_PEOPLE = ["opening", "received", "adjusted", "counted"]
MOVED_BY_ORDERS = ["ordered", "completed", "shipped", "cancelled", "returned"]


def make_uuid() -> UUID:
    """A UUIDv7: sorted by time, so that its index grows at one end."""
    return compat.uuid7()


def make_sku() -> str:
    return "P" + b32encode(secrets.token_bytes(7))[:10].decode()


def transaction_id() -> models.Expression:
    """The id of the writing transaction. A reader that stops below the oldest one still open misses nothing."""
    return Cast(Cast(Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField())


class ProductQuerySet(models.QuerySet["Product"]):
    def on_sale(self) -> "ProductQuerySet":
        return self.filter(is_active=True)

    def with_stock(self) -> "ProductQuerySet":
        return self.select_related("stock")


class Product(models.Model):
    """What is sold. Its id is the classic `product_id`; its uuid is what newer programs use."""

    uuid = models.UUIDField(default=make_uuid, unique=True, editable=False)
    sku = models.CharField(
        max_length=64,
        default=make_sku,
        verbose_name="SKU",
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
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="product_sku_is_unique", fields=["sku"], violation_error_message="Another product has this SKU."
            ),
            models.CheckConstraint(name="product_sku_is_given", condition=~Q(sku="")),
            models.CheckConstraint(name="product_name_is_given", condition=~Q(name="")),
            # The upper bound also bars NaN, which PostgreSQL holds to be greater than every number.
            models.CheckConstraint(name="product_price_in_range", condition=Q(price__gt=0, price__lte=MAX_PRICE)),
        ]

    def __str__(self) -> str:
        return self.name


class StockQuerySet(models.QuerySet["Stock"]):
    def locked(self, product_ids: Iterable[int]) -> "StockQuerySet":
        """Lock these rows until the transaction ends, always in id order: opposite carts wait and never deadlock."""
        return self.filter(pk__in=product_ids).order_by("pk").select_for_update(of=("self",), no_key=True)


class Stock(models.Model):
    """How many units of a product there are. Only `catalog.services` writes it, and each time also the ledger.

    It is not a column of Product, because whoever saves a product's name writes back every column that was read.
    """

    product = models.OneToOneField(Product, on_delete=models.PROTECT, primary_key=True)
    available = models.BigIntegerField(default=0, help_text="May be sold.")
    committed = models.BigIntegerField(default=0, help_text="Sold or held, and still on the shelf.")

    objects = StockQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "stock"
        constraints = [
            models.CheckConstraint(name="stock_available_not_negative", condition=Q(available__gte=0)),
            models.CheckConstraint(name="stock_committed_not_negative", condition=Q(committed__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.available} available, {self.committed} committed"

    @property
    def on_hand(self) -> int:
        """What a person counts on the shelf."""
        return self.available + self.committed


class StockMovement(models.Model):
    """One row of the ledger. Rows are only ever added; each counter of Stock is the sum of its changes."""

    class Kind(models.TextChoices):
        OPENING = "opening"
        RECEIVED = "received"
        ADJUSTED = "adjusted"
        COUNTED = "counted"
        ORDERED = "ordered"
        COMPLETED = "completed"
        SHIPPED = "shipped"
        CANCELLED = "cancelled"
        RETURNED = "returned"

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="movements", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    available_change = models.BigIntegerField()
    committed_change = models.BigIntegerField(default=0)
    available_after = models.BigIntegerField()
    order_uuid = models.UUIDField(null=True, verbose_name="order")
    done_by = models.CharField(max_length=150)
    idempotency_key = models.CharField(max_length=255, null=True)
    note = models.CharField(max_length=1000, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    transaction_id = models.BigIntegerField(db_default=transaction_id())

    class Meta:
        indexes = [models.Index(name="movement_of_product", fields=["product", "id"])]
        constraints = [
            models.UniqueConstraint(
                name="movement_ordered_once", fields=["order_uuid", "product"], condition=Q(kind="ordered")
            ),
            models.UniqueConstraint(
                name="movement_key_used_once",
                fields=["done_by", "idempotency_key", "product"],
                condition=Q(idempotency_key__isnull=False),
            ),
            models.CheckConstraint(name="movement_done_by_is_given", condition=~Q(done_by="")),
            models.CheckConstraint(name="movement_after_not_negative", condition=Q(available_after__gte=0)),
            models.CheckConstraint(
                name="movement_order_fits_kind",
                condition=Q(order_uuid__isnull=False, kind__in=MOVED_BY_ORDERS)
                | Q(order_uuid__isnull=True, kind__in=MOVED_BY_PEOPLE),
            ),
            # Which way each kind moves the two counters.
            models.CheckConstraint(
                name="movement_changes_fit_kind",
                condition=Q(kind__in=["opening", "received"], available_change__gt=0, committed_change=0)
                | (Q(kind="adjusted", committed_change=0) & ~Q(available_change=0))
                | Q(kind="counted", committed_change=0)
                | Q(kind="ordered", available_change__lt=0, committed_change__in=[0, -F("available_change")])
                | Q(kind__in=["completed", "shipped"], available_change=0, committed_change__lt=0)
                | Q(kind="cancelled", committed_change__lt=0, available_change__in=[0, -F("committed_change")])
                | Q(kind="returned", available_change__gt=0, committed_change=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.available_change:+}"
