import re
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils import timezone

from catalog.models import MAX_PRICE, Product, make_uuid, transaction_id
from ecommerce.rules import IsOneOf
from ecommerce.search import Words, query_of

MAX_LINES = 2_000
MAX_QUANTITY = 1_000_000
MAX_TOTAL = Decimal("999999999999.99")
BOUGHT_AFTER_SWEEP = timedelta(days=1)  # or never: a price is no option for ever
IS_CLIENT = r"^(open|app:.+|staff:.+|command:.+)$"

WORDS = Words("customer_name", "customer_email", "reference")
HAS_WORDS = ~Q(customer_name="", customer_email="", reference="")


IS_TO_SHIP = Q(status="completed", ship_to__isnull=False, shipped_at__isnull=True)


class OrderQuerySet(models.QuerySet["Order"]):
    def to_ship(self) -> "OrderQuerySet":
        """What waits on the shelf. Something is left of each: the cancellation of the last unit cancels the order."""
        return self.filter(IS_TO_SHIP)

    def handed_over(self) -> "OrderQuerySet":
        return self.filter(Q(ship_to__isnull=True) | Q(shipped_at__isnull=False), status=Order.Status.COMPLETED)

    def hold_is_over(self) -> "OrderQuerySet":
        return self.filter(status=Order.Status.PENDING, hold_expires_at__lte=Now())

    def of_customer(self, email: str) -> "OrderQuerySet":
        return self.alias(lower_email=Lower("customer_email")).filter(~Q(customer_email=""), lower_email=email.lower())

    def found_by(self, text: str) -> "OrderQuerySet":
        """By number, or by words of what the caller and the customer wrote."""
        query = query_of(text)
        if query is None:
            return self.none()
        if not re.fullmatch("[0-9]{1,18}", text):
            return self.filter(HAS_WORDS).alias(words=WORDS).filter(words=query)
        by_words = Order.objects.filter(HAS_WORDS).alias(words=WORDS).filter(words=query)
        by_number = Order.objects.filter(pk=int(text))  # of a union each part has its index, of an OR none
        return self.filter(pk__in=by_words.values("pk").union(by_number.values("pk"), all=True))

    def with_lines(self) -> "OrderQuerySet":
        """`lines` of each holds its items, with the uuids of their products."""
        items = OrderItem.objects.annotate(product_uuid=F("product__uuid"))  # type: ignore[no-redef]
        return self.prefetch_related(models.Prefetch("items", items, to_attr="lines"))


class Order(models.Model):
    """What was bought. `total_price` stays as placed; `current_total` is what cancellations left of it."""

    class Status(models.TextChoices):
        PENDING = "pending"
        COMPLETED = "completed"
        CANCELLED = "cancelled"

    uuid = models.UUIDField(default=make_uuid, unique=True, editable=False)
    status = models.CharField(max_length=9, choices=Status.choices)
    total_price = models.DecimalField(max_digits=14, decimal_places=2)
    current_total = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    customer_email = models.CharField(max_length=254, blank=True)
    customer_name = models.CharField(max_length=255, blank=True)
    ship_to = models.JSONField(null=True, blank=True)
    tracking = models.JSONField(null=True, blank=True)
    reference = models.CharField(max_length=255, blank=True, help_text="The caller's own number for it.")
    metadata = models.JSONField(default=dict, blank=True)
    placed_by = models.CharField(max_length=150, help_text="The client, as in app:7 or staff:3.")
    idempotency_key = models.CharField(max_length=255, null=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    cancel_reason = models.CharField(max_length=1000, blank=True)
    version = models.PositiveIntegerField(default=1)
    hold_expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    completed_at = models.DateTimeField(null=True)
    shipped_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    objects = OrderQuerySet.as_manager()
    lines: "list[OrderItem]"  # of an order that was just placed, or read by with_lines()

    class Meta:
        indexes = [
            models.Index(name="order_hold", fields=["hold_expires_at"], condition=Q(status="pending")),
            # Each costs every order a write, so there is one only where a list cannot do without. The partial ones cost
            # an order without a customer or a reference nothing.
            models.Index(name="order_of_client", fields=["placed_by", "id"]),
            models.Index(name="order_by_update", fields=["updated_at", "id"]),
            models.Index(Lower("customer_email"), "id", name="order_of_customer", condition=~Q(customer_email="")),
            models.Index(name="order_by_reference", fields=["reference"], condition=~Q(reference="")),
            GinIndex(WORDS, name="order_words", condition=HAS_WORDS),
            # Only what waits to be shipped, and only what was cancelled, is ever written to these two.
            models.Index(name="order_to_ship", fields=["id"], condition=IS_TO_SHIP),
            models.Index(name="order_cancelled", fields=["id"], condition=Q(status="cancelled")),
            # One entry for 128 pages of the table, which grows in the order of time.
            BrinIndex(name="order_created", fields=["created_at"], autosummarize=True),
        ]
        constraints = [
            models.UniqueConstraint(name="order_key_used_once", fields=["placed_by", "idempotency_key"]),
            models.CheckConstraint(
                name="order_key_has_fingerprint",
                condition=Q(idempotency_key__isnull=True, fingerprint="")
                | (Q(idempotency_key__isnull=False) & ~Q(fingerprint="")),
            ),
            models.CheckConstraint(name="order_placed_by_a_client", condition=Q(placed_by__regex=IS_CLIENT)),
            models.CheckConstraint(name="order_currency_is_a_code", condition=Q(currency__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(
                name="order_totals_in_range",
                condition=Q(total_price__gt=0, total_price__lte=MAX_TOTAL)
                & Q(current_total__gte=0, current_total__lte=F("total_price")),
            ),
            models.CheckConstraint(
                name="order_times_fit_status",
                condition=Q(
                    status="pending",
                    hold_expires_at__isnull=False,
                    completed_at__isnull=True,
                    cancelled_at__isnull=True,
                )
                | Q(status="completed", completed_at__isnull=False, cancelled_at__isnull=True)
                | Q(status="cancelled", cancelled_at__isnull=False, current_total=0),
            ),
            models.CheckConstraint(
                name="order_shipped_to_somewhere",
                condition=Q(shipped_at__isnull=True) | Q(completed_at__isnull=False, ship_to__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Order {self.pk}"

    @property
    def address_lines(self) -> list[str]:
        """Below the name, as on a parcel."""
        at = self.ship_to or {}
        city = " ".join(at[part] for part in ("postal_code", "city") if at.get(part))
        lines = [at.get("line1"), at.get("line2"), city, at.get("region"), at.get("country")]
        return [line for line in lines if line]

    @property
    def was_handed_over(self) -> bool:
        """Its units have left the shelf: shipped, or without an address and so taken along."""
        return self.completed_at is not None and (self.ship_to is None or self.shipped_at is not None)

    @property
    def hold_was_swept(self) -> bool:
        """Cancelled because its hold was over, and not by anybody: every other move out of pending clears the hold."""
        return self.status == self.Status.CANCELLED and self.hold_expires_at is not None

    @property
    def may_be_bought_after_sweep(self) -> bool:
        """By this server's clock: of a day, a second more or less is nothing."""
        if self.cancelled_at is None or not self.hold_was_swept:
            return False
        return timezone.now() < self.cancelled_at + BOUGHT_AFTER_SWEEP

    @property
    def legal_moves(self) -> list[str]:
        """What `orders.services` would do with it now."""
        if self.status == self.Status.PENDING:
            return ["complete", "cancel", "extend"]
        if self.status == self.Status.COMPLETED:
            return ["cancel"] if self.was_handed_over else ["ship", "cancel"]
        return ["complete"] if self.may_be_bought_after_sweep else []


class OrderItem(models.Model):
    """A line: the junction of an order and a product, which keeps price and names as they were."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="items", db_index=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    sku = models.CharField(max_length=64)
    product_name = models.CharField(max_length=255)
    quantity = models.PositiveIntegerField()
    cancelled_quantity = models.PositiveIntegerField(default=0)
    price_at_time = models.DecimalField(max_digits=12, decimal_places=2)
    subtotal = models.DecimalField(max_digits=14, decimal_places=2)

    product_uuid: UUID  # of an item that was read by with_lines()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(name="item_product_once", fields=["order", "product"]),
            models.CheckConstraint(
                name="item_quantity_in_range", condition=Q(quantity__gte=1, quantity__lte=MAX_QUANTITY)
            ),
            models.CheckConstraint(
                name="item_cancelled_in_range",
                condition=Q(cancelled_quantity__gte=0, cancelled_quantity__lte=F("quantity")),
            ),
            models.CheckConstraint(
                name="item_price_in_range", condition=Q(price_at_time__gt=0, price_at_time__lte=MAX_PRICE)
            ),
            models.CheckConstraint(
                name="item_subtotal_is_product", condition=Q(subtotal=F("quantity") * F("price_at_time"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_name}"

    @property
    def remaining_quantity(self) -> int:
        return self.quantity - self.cancelled_quantity

    @property
    def remaining_subtotal(self) -> Decimal:
        return self.remaining_quantity * self.price_at_time


# Of an event: its kind, the status of the order before it, where there was one, and after it.
LEGAL_MOVES = [
    "placed  pending",
    "placed  completed",
    "completed pending completed",
    "completed cancelled completed",
    "cancelled pending cancelled",
    "cancelled completed cancelled",
    "hold_expired pending cancelled",
    "shipped completed completed",
    "hold_extended pending pending",
    "items_cancelled pending pending",
    "items_cancelled completed completed",
    "note_added pending pending",
    "note_added completed completed",
    "note_added cancelled cancelled",
]


class OrderEvent(models.Model):
    """One thing that happened to an order, written in its transaction. Rows are only ever added."""

    class Kind(models.TextChoices):
        PLACED = "placed"
        COMPLETED = "completed"
        SHIPPED = "shipped"
        CANCELLED = "cancelled"
        ITEMS_CANCELLED = "items_cancelled"
        HOLD_EXPIRED = "hold_expired"
        HOLD_EXTENDED = "hold_extended"
        NOTE_ADDED = "note_added"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events", db_index=False)
    kind = models.CharField(max_length=15, choices=Kind.choices)
    old_status = models.CharField(max_length=9, blank=True)
    new_status = models.CharField(max_length=9)
    done_by = models.CharField(max_length=150)
    request_id = models.CharField(max_length=64, blank=True)
    data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    transaction_id = models.BigIntegerField(db_default=transaction_id())

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(name="event_of_order", fields=["order", "id"])]
        constraints = [
            models.UniqueConstraint(name="event_placed_once", fields=["order"], condition=Q(kind="placed")),
            models.CheckConstraint(name="event_done_by_is_given", condition=~Q(done_by="")),
            models.CheckConstraint(
                name="event_is_a_legal_move",
                condition=IsOneOf("kind", "old_status", "new_status", rows=LEGAL_MOVES),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.done_by}"


class BooksCheck(models.Model):
    """One proof of the books: who asked for it, and what came out. `faults` are the first of `fault_count`."""

    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True, db_index=True)
    fault_count = models.PositiveIntegerField(null=True)
    faults = models.JSONField(default=list)

    class Meta:
        verbose_name = "check of the books"
        verbose_name_plural = "checks of the books"

    def __str__(self) -> str:
        return f"Check {self.pk}"


class DayOfSales(models.Model):
    """What was bought on a day that is over, by the shop's clock, as its orders are now. `manage.py work` counts it."""

    day = models.DateField(primary_key=True)
    orders = models.PositiveIntegerField()
    revenue = models.DecimalField(max_digits=20, decimal_places=2)
    units = models.PositiveBigIntegerField()
    pending = models.PositiveIntegerField()
    cancelled = models.PositiveIntegerField()
    counted_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "days of sales"

    def __str__(self) -> str:
        return f"Sales of {self.day}"


class ProductDay(models.Model):
    """The units of one product in a DayOfSales."""

    day = models.ForeignKey(DayOfSales, on_delete=models.CASCADE, db_index=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+", db_index=False)
    units = models.PositiveBigIntegerField()
    revenue = models.DecimalField(max_digits=20, decimal_places=2)

    class Meta:
        indexes = [
            models.Index(name="units_by_day", fields=["day"], include=["product", "units", "revenue"]),
            models.Index(name="units_by_product", fields=["product", "day"], include=["units"]),
        ]

    def __str__(self) -> str:
        return f"{self.units} of product {self.product_id} on {self.day_id}"
