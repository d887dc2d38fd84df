"""What became of the fields of products."""

import json
from typing import Any

from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models.ids import transaction_id
from catalog.models.products import Product

MAX_VERSION = 2_147_483_647
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
