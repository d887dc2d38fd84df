"""Files of products on their way into the shop, kept so that they can be taken back."""

from collections.abc import Iterator, Sequence

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


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
