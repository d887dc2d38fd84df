from typing import Any

from django.core.paginator import Paginator
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
