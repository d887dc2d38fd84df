from typing import Any

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
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        return Page(self.all_rows()[first : min(first + self.per_page, self.count)], number, self)

    def all_rows(self) -> QuerySet[Any]:
        """Few that were found are sorted. PostgreSQL would rather walk an index of the ordering in the hope of meeting
        them soon, and they may all lie at its other end."""
        rows: QuerySet[Any] = self.object_list
        names = [name for name in dict.fromkeys(rows.query.order_by) if isinstance(name, str)]
        if self.is_capped or not rows.query.where or len(names) < len(set(rows.query.order_by)) or not names:
            return rows
        columns = [(off_index(name.removeprefix("-")), name.startswith("-")) for name in names]
        return rows.order_by(*(column.desc() if downwards else column.asc() for column, downwards in columns))


def off_index(column: str) -> Coalesce:
    """To sort by: PostgreSQL does not know that COALESCE(x, x) is x."""
    return Coalesce(column, column)
