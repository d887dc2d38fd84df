"""How many there are, and the ledger of how that came about."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, models
from django.db.models import F, Q, Sum
from django.db.models.functions import Cast, Now, Sign
from django.db.models.lookups import IsNull

from catalog.models.ids import transaction_id
from catalog.models.products import Product
from ecommerce.rules import IsOneOf

MAX_STOCK = 1_000_000_000


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


# Of a movement: its kind, whether it is an order's, and which way the two counters go.
WAYS = [
    "opening false 1 0",
    "received false 1 0",
    "adjusted false 1 0",
    "adjusted false -1 0",
    "counted false 1 0",
    "counted false 0 0",
    "counted false -1 0",
    "ordered true -1 0",
    "ordered true -1 1",
    "retaken true -1 0",
    "retaken true -1 1",
    "completed true 0 -1",
    "shipped true 0 -1",
    "cancelled true 1 -1",
    "cancelled true 0 -1",
    "returned true 1 0",
]


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
                name="movement_changes_fit_kind",
                condition=IsOneOf(
                    "kind",
                    Cast(IsNull(F("order_uuid"), False), models.TextField()),
                    Cast(Sign("available_change"), models.TextField()),
                    Cast(Sign("committed_change"), models.TextField()),
                    rows=WAYS,
                ),
            ),
            # Units go from one counter to the other, or change one of them.
            models.CheckConstraint(
                name="movement_changes_are_one",
                condition=Q(available_change=0) | Q(committed_change=0) | Q(available_change=-F("committed_change")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.available_change:+}"
