from typing import Any, cast

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property

MAX_ROWS = 10_000


class CappedPaginator(Paginator):
    """Counts 10,000 rows and no further, and its pages end there: whoever looks for more narrows the list down."""

    object_list: Any
    template_name = "admin/capped_pagination.html"

    @cached_property
    def rows_found(self) -> int:
        return int(self.object_list.order_by()[: MAX_ROWS + 1].count())

    @property
    def count(self) -> int:
        return min(self.rows_found, MAX_ROWS)

    @property
    def is_capped(self) -> bool:
        return self.rows_found > MAX_ROWS

    def page(self, number: int | str) -> Page:
        self.object_list = self.all_rows()
        return super().page(number)

    def all_rows(self) -> QuerySet[Any]:
        """Few that were found are sorted. PostgreSQL would rather walk an index of the ordering in the hope of meeting
        them soon, and they may all lie at its other end."""
        if self.is_capped or not self.object_list.query.where:
            return cast(QuerySet[Any], self.object_list)
        keys = [
            off_index(name.removeprefix("-")).desc() if name.startswith("-") else off_index(name).asc()
            for name in dict.fromkeys(self.object_list.query.order_by)
        ]
        return cast(QuerySet[Any], self.object_list.order_by(*keys))


def off_index(column: str) -> Coalesce:
    """To sort by: PostgreSQL does not know that COALESCE(x, x) is x."""
    return Coalesce(column, column)
