import json
import re
import secrets
from base64 import b32encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import connection, models
from django.db.models import F, Func, Q, Sum
from django.db.models.functions import Cast, Now
from uuid_utils import compat

from ecommerce.search import Words, query_of

MAX_PRICE = Decimal("9999999999.99")
MAX_STOCK = 1_000_000_000
MAX_VERSION = 2_147_483_647
UUID_FORM = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z"
IS_UUID = re.compile(UUID_FORM)
COLUMN_OF: dict[type, str] = {int: "pk", UUID: "uuid", str: "sku"}
MOVED_BY_PEOPLE = ["opening", "received", "adjusted", "counted"]
Reference = int | UUID | str  # how a caller names a product: its number, its uuid or its sku
MOVED_BY_ORDERS = ["ordered", "retaken", "completed", "shipped", "cancelled", "returned"]


def make_uuid() -> UUID:
    """A UUIDv7: sorted by time, so that its index grows at one end."""
    return compat.uuid7()


def make_sku() -> str:
    return "P" + b32encode(secrets.token_bytes(7))[:10].decode()


def transaction_id() -> models.Expression:
    """The id of the writing transaction. A reader that stops below the oldest one still open misses nothing."""
    return Cast(Cast(Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField())


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


# A range of one product: for an equality PostgreSQL may walk the whole ledger backwards by its ids instead.
SOLD_LATELY = """
    SELECT product.id, coalesce(sold.units, 0), sold.rows = 1000
      FROM unnest(%s::bigint[]) AS product (id)
     CROSS JOIN LATERAL (
           SELECT count(*) AS rows, -sum(available_change) FILTER (WHERE order_uuid IS NOT NULL) AS units
             FROM (SELECT available_change, order_uuid, created_at FROM catalog_stockmovement
                    WHERE product_id BETWEEN product.id AND product.id
                    ORDER BY product_id DESC, id DESC LIMIT 1000) latest
            WHERE created_at >= now() - interval '30 days') sold
"""


class StockMovementQuerySet(models.QuerySet["StockMovement"]):
    def of(self, product: Product) -> "StockMovementQuerySet":
        return self.filter(product=product)

    def until(self, time: datetime) -> "StockMovementQuerySet":
        """Up to the last movement that had begun by then. By id: the ids of a product are in the order of its lock."""
        last = self.filter(created_at__lte=time).order_by("-pk").values("pk")[:1]
        return self.filter(pk__lte=models.Subquery(last))

    def ordered_by(self, client: str) -> "StockMovementQuerySet":
        return self.filter(kind="ordered", done_by=client)

    def sold_lately(self, product_ids: Iterable[int]) -> dict[int, tuple[int, bool]]:
        """Units of each product that orders took within 30 days and did not give back, and whether there were more.

        From its last 1,000 movements alone, so that a page of a list is bounded whatever was sold.
        """
        with connection.cursor() as cursor:
            cursor.execute(SOLD_LATELY, [list(product_ids)])
            return {pk: (units, is_more) for pk, units, is_more in cursor.fetchall()}

    def balance(self) -> Stock:
        """What these movements of one product, from the first on, come to."""
        totals = self.aggregate(available=Sum("available_change"), committed=Sum("committed_change"))
        return Stock(**{counter: total or 0 for counter, total in totals.items()})


class StockMovement(models.Model):
    """One row of the ledger. Rows are only ever added; each counter of Stock is the sum of its changes."""

    class Kind(models.TextChoices):
        OPENING = "opening"
        RECEIVED = "received"
        ADJUSTED = "adjusted"
        COUNTED = "counted"
        ORDERED = "ordered"
        RETAKEN = "retaken"  # by an order that is completed after its hold was over
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
    fingerprint = models.CharField(max_length=64, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    transaction_id = models.BigIntegerField(db_default=transaction_id())

    objects = StockMovementQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(name="movement_of_product", fields=["product", "id"])]
        constraints = [
            models.UniqueConstraint(
                name="movement_taken_once",
                fields=["order_uuid", "product", "kind"],
                condition=Q(kind__in=["ordered", "retaken"]),
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
                | Q(
                    kind__in=["ordered", "retaken"],
                    available_change__lt=0,
                    committed_change__in=[0, -F("available_change")],
                )
                | Q(kind__in=["completed", "shipped"], available_change=0, committed_change__lt=0)
                | Q(kind="cancelled", committed_change__lt=0, available_change__in=[0, -F("committed_change")])
                | Q(kind="returned", available_change__gt=0, committed_change=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.available_change:+}"


class ProductImport(models.Model):
    """A file of products, from its preview on. `counts` are its rows by kind, `report` is what undoing had to leave."""

    class State(models.TextChoices):
        PREVIEWED = "previewed"
        APPLIED = "applied"
        UNDONE = "undone"

    class Format(models.TextChoices):
        PRODUCTS = "products"
        SHOPIFY = "shopify", "Shopify products"
        INVENTORY = "inventory", "Inventory"

    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64, verbose_name="SHA-256 of the file")
    format = models.CharField(max_length=9, choices=Format.choices)
    read_as = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=State.choices, default=State.PREVIEWED)
    done_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(db_default=Now())
    applied_by = models.CharField(max_length=150, blank=True)
    applied_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=150, blank=True)
    undone_at = models.DateTimeField(null=True)
    report = models.JSONField(default=list)

    class Meta:
        verbose_name = "import"
        indexes = [models.Index(name="import_of_file", fields=["sha256", "id"])]
        constraints = [
            models.CheckConstraint(
                name="import_times_fit_state",
                condition=Q(state="previewed", applied_at__isnull=True, undone_at__isnull=True)
                | Q(state="applied", applied_at__isnull=False, undone_at__isnull=True)
                | Q(state="undone", applied_at__isnull=False, undone_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"Import {self.pk}: {self.file_name}"


class ImportRowQuerySet(models.QuerySet["ImportRow"]):
    def in_batches(self, *, size: int = 2_000) -> Iterator[Sequence["ImportRow"]]:
        """The rows of one import in the order of their lines. Each batch is one statement: memory holds no more."""
        last = -1
        while some := list(self.filter(line__gt=last).order_by("line")[:size]):
            yield some
            last = some[-1].line


class ImportRow(models.Model):
    """What a line of the file says (`values`) and, of the fields that it changes, what they were (`before`).

    The product is named by its uuid, which a new one has before it is there. Rows of an import that was applied are
    kept as they are by a trigger, since undoing rests on them.
    """

    class Kind(models.TextChoices):
        REFUSED = "refused"
        CREATED = "created"
        UPDATED = "updated"
        COUNTED = "counted"
        UNCHANGED = "unchanged"

    product_import = models.ForeignKey(ProductImport, on_delete=models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField()
    kind = models.CharField(max_length=9, choices=Kind.choices)
    product_uuid = models.UUIDField(null=True)
    label = models.CharField(max_length=600, blank=True)
    values = models.JSONField()
    before = models.JSONField(default=dict)
    errors = models.JSONField(default=list, help_text="What is wrong with the line itself, whatever the shop holds.")
    message = models.CharField(max_length=1000, blank=True)

    objects = ImportRowQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(name="row_of_import", fields=["product_import", "kind", "line"])]
        constraints = [models.UniqueConstraint(name="import_line_once", fields=["product_import", "line"])]

    def __str__(self) -> str:
        return f"Line {self.line}: {self.kind}"


FIELDS_AT = """
    SELECT jsonb_object_agg(key, value)
      FROM (SELECT DISTINCT ON (key) key, value -> 1 AS value
              FROM catalog_productchange, jsonb_each(changes)
             WHERE product_id = %s AND version <= %s
             ORDER BY key, version DESC) field
     WHERE EXISTS (SELECT FROM catalog_productchange WHERE product_id = %s AND version = %s)
"""


class ProductChangeQuerySet(models.QuerySet["ProductChange"]):
    def fields_at(self, product: Product, version: int) -> dict[str, Any] | None:
        """The columns of the product as this version had them, in the form of `changes`; None if there was none."""
        if not 0 < version <= MAX_VERSION:
            return None
        with connection.cursor() as cursor:
            cursor.execute(FIELDS_AT, [product.pk, version, product.pk, version])
            [fields] = cursor.fetchone()
        return json.loads(fields) if fields else None

    def deletions(self, text: str = "") -> "ProductChangeQuerySet":
        """With this text in the name or the SKU that the product had."""
        found = Q(changes__name__0__icontains=text) | Q(changes__sku__0__icontains=text) if text else Q()
        return self.filter(found, kind="deleted")

    def deleted_product(self, product_id: int) -> Product | None:
        """As it was when it was deleted."""
        deletion = self.deletions().filter(product=product_id).order_by("-version").first()
        return Product(pk=product_id, **deletion.before) if deletion else None


class ProductChange(models.Model):
    """One write of a product's fields: `changes` has [old, new] of each that became another. Rows are only ever added.

    They outlive a product that is deleted, and say who deleted it; so the database knows no foreign key here.
    """

    class Kind(models.TextChoices):
        CREATED = "created"
        CHANGED = "changed"
        DELETED = "deleted"
        FOUND = "found"  # how it was when the history began

    product = models.ForeignKey(
        Product, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="changes"
    )
    version = models.PositiveIntegerField(help_text="That of the product after it.")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    changes = models.JSONField()
    done_by = models.CharField(max_length=150)
    note = models.CharField(max_length=1000, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    transaction_id = models.BigIntegerField(db_default=transaction_id())

    objects = ProductChangeQuerySet.as_manager()

    class Meta:
        default_permissions = ()  # who may see the product may see its history
        indexes = [models.Index(name="product_change_deleted", fields=["id"], condition=Q(kind="deleted"))]
        constraints = [
            models.UniqueConstraint(name="product_change_once", fields=["product", "version"]),
            models.CheckConstraint(name="product_change_done_by_is_given", condition=~Q(done_by="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {', '.join(self.changes)}"

    @property
    def before(self) -> dict[str, Any]:
        """What the columns that it changed were: of a deletion all of them."""
        return {column: old for column, (old, _) in self.changes.items()}
