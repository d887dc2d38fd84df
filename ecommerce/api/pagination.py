"""Pages of a list: by number for people, to a bounded depth; by cursor for programs, to any."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import BooleanField, F, Field, Func, Model, Q, QuerySet, Value
from django.utils import timezone
from rest_framework import serializers
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from ecommerce.api.fields import MAX_ID, LaxIntegerField
from ecommerce.api.parameters import read_parameters, refused_parameter
from ecommerce.paginator import off_index

MAX_DEPTH = 10_000  # rows that a page number may skip
MAX_COUNT = 10_000  # rows that are counted one by one
MAX_PAGE_SIZE = 200
WINDOW = 20_000  # rows that are looked through for the matches of a common word
MAX_CURSOR = 2_000  # the longest name, of signs of four bytes, in base 64


class PageSerializer(serializers.Serializer[Any]):
    page = LaxIntegerField(min_value=1, max_value=MAX_DEPTH, required=False)
    cursor = serializers.CharField(max_length=MAX_CURSOR, required=False)
    page_size = LaxIntegerField(min_value=1, max_value=MAX_PAGE_SIZE, default=50)
    ordering = serializers.CharField(max_length=40, required=False)


@dataclass(frozen=True, kw_only=True)
class Order:
    """By a column and then by id, both upwards or both downwards: what an index on (column, id) reads either way."""

    name: str
    column: "Field[Any, Any]"
    descending: bool

    def sort(self, rows: QuerySet[Any], *, backwards: bool, by_index: bool = True) -> QuerySet[Any]:
        """Without the index all rows are read first."""
        downwards = self.descending != backwards
        keys = [F(name) if by_index else off_index(name) for name in dict.fromkeys([self.column.name, "pk"])]
        return rows.order_by(*(key.desc() if downwards else key.asc() for key in keys))

    def after(self, place: "Place | None", rows: QuerySet[Any], *, by_index: bool = True) -> QuerySet[Any]:
        """What follows a place, sorted; or what comes before it, from there backwards."""
        rest = rows.filter(self.beyond(place)) if place else rows
        return self.sort(rest, backwards=place is not None and place.backwards, by_index=by_index)

    def window(self, rows: QuerySet[Any], *, place: "Place | None") -> QuerySet[Any]:
        """Those of the rows that are among the next WINDOW of the whole table."""
        table = self.after(place, rows.model._default_manager.all()).values_list(self.column.name, "pk")
        end = table[WINDOW : WINDOW + 1].first()
        if end is None:
            return rows
        backwards = place is not None and place.backwards
        return rows.filter(self.beyond(Place(value=end[0], pk=end[1], backwards=not backwards)))

    def beyond(self, place: "Place") -> Q | Func:
        """The rows after a place, or before it; a comparison of rows, since an index answers that and no OR."""
        if self.column.primary_key:
            return Q(pk__lt=place.pk) if self.descending != place.backwards else Q(pk__gt=place.pk)
        sign = " < " if self.descending != place.backwards else " > "
        here = Func(F(self.column.name), F("pk"), function="ROW")
        there = Func(Value(place.value, output_field=self.column), Value(place.pk), function="ROW")
        return Func(here, there, template="%(expressions)s", arg_joiner=sign, output_field=BooleanField())


@dataclass(frozen=True, kw_only=True)
class Place:
    """Between two rows of a list."""

    value: Any
    pk: int
    backwards: bool

    def as_cursor(self, order: Order) -> str:
        value = self.value.astimezone(UTC).isoformat() if isinstance(self.value, datetime) else str(self.value)
        written = json.dumps([order.name, value, self.pk, self.backwards], ensure_ascii=False)
        return urlsafe_b64encode(written.encode()).decode()


def read_cursor(cursor: str, order: Order) -> Place:
    """It says nothing that a filter could not, so it is not signed; but only what we would have written ourselves is
    taken for one. Raises ValueError, TypeError, OverflowError, RecursionError, ValidationError."""
    name, value, pk, backwards = json.loads(urlsafe_b64decode(cursor.encode()))
    if name != order.name or not isinstance(value, str) or type(pk) is not int or type(backwards) is not bool:
        raise ValueError("not a cursor of this list")
    if not 0 < pk <= MAX_ID or "\x00" in value:
        raise ValueError("no row has this")
    column_value = order.column.clean(value, None)
    if isinstance(column_value, datetime) and timezone.is_naive(column_value):
        raise ValueError("a time without a zone")
    place = Place(value=column_value, pk=pk, backwards=backwards)
    if place.as_cursor(order) != cursor:
        raise ValueError("not written by us")
    return place


class KeysetPagination(BasePagination):
    """The view names its `orderings` (parameter: column, each with an index on it and the id) and a `default_ordering`.

    `count` is exact up to 10,000, then PostgreSQL's estimate, and null where that is below what was counted.
    """

    parameters = frozenset(PageSerializer().fields)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        asked = read_parameters(PageSerializer, request)
        if "page" in asked and "cursor" in asked:
            raise refused_parameter("cursor", "Give a page or a cursor, not both.")
        self.request = request
        self.page, self.size = asked.get("page"), asked["page_size"]
        self.order = chosen_order(view, asked.get("ordering", view.default_ordering), queryset.model)
        self.is_search = "search" in request.query_params
        if self.is_search:  # which reads in another way where it finds many
            self.count, self.count_is_estimate = counted(queryset)
        if self.page is not None:
            self.rows = self.numbered(queryset, self.page)
        else:
            self.rows = self.after(queryset, self.place(asked["cursor"]) if "cursor" in asked else None)
        if not self.is_search:
            is_whole = not self.has_previous and not self.has_next
            self.count, self.count_is_estimate = (len(self.rows), False) if is_whole else counted(queryset)
        return self.rows

    def place(self, cursor: str) -> Place:
        try:
            return read_cursor(cursor, self.order)
        except (ValueError, TypeError, OverflowError, RecursionError, ValidationError, binascii.Error):
            raise refused_parameter("cursor", "This is no cursor of this list in this order.") from None

    def numbered(self, queryset: QuerySet[Any], page: int) -> list[Any]:
        if page * self.size > MAX_DEPTH:
            raise refused_parameter("page", f"Pages end at row {MAX_DEPTH}. Follow the cursors of `next` from there.")
        skipped = (page - 1) * self.size
        if not skipped:
            return self.after(queryset, None)
        # Only keys are read of the rows before it: what a list looks up for a row would be looked up for each of them.
        keys = queryset.values_list(self.order.column.name, "pk")
        for value, pk in self.read(keys, None, slice(skipped - 1, skipped)):
            return self.after(queryset, Place(value=value, pk=pk, backwards=False))
        self.has_previous, self.has_next = True, False
        return []

    def after(self, queryset: QuerySet[Any], place: Place | None) -> list[Any]:
        backwards = place is not None and place.backwards
        rows = self.read(queryset, place, slice(0, self.size + 1))
        is_more = len(rows) > self.size
        self.has_previous = is_more if backwards else place is not None
        self.has_next = True if backwards else is_more
        return rows[: self.size][:: -1 if backwards else 1]

    def read(self, queryset: QuerySet[Any], place: Place | None, wanted: slice) -> list[Any]:
        """A search walks the index of the ordering for a while at most: its matches may all lie at the other end."""
        if not self.is_search:
            return list(self.order.after(place, queryset)[wanted])
        if self.count_is_estimate:
            near = list(self.order.after(place, self.order.window(queryset, place=place))[wanted])
            if len(near) == wanted.stop - wanted.start:
                return near
        return list(self.order.after(place, queryset, by_index=False)[wanted])

    def get_paginated_response(self, data: Any) -> Response:
        links = {"next": self.next_link(), "prev": self.previous_link()}
        header = ", ".join(f'<{address}>; rel="{name}"' for name, address in links.items() if address)
        body = {
            "results": data,
            "next": links["next"],
            "previous": links["prev"],
            "count": self.count,
            "count_is_estimate": self.count_is_estimate,
        }
        return Response(body, headers={"Link": header} if header else {})

    def next_link(self) -> str | None:
        if not self.has_next or not self.rows:
            return None
        if self.page is not None and (self.page + 1) * self.size <= MAX_DEPTH:
            return self.link("page", self.page + 1)
        return self.cursor_link(self.rows[-1], backwards=False)

    def previous_link(self) -> str | None:
        if not self.has_previous or not self.rows:
            return None
        if self.page is not None:
            return self.link("page", self.page - 1)
        return self.cursor_link(self.rows[0], backwards=True)

    def cursor_link(self, row: Any, *, backwards: bool) -> str:
        value = getattr(row, self.order.column.attname)
        return self.link("cursor", Place(value=value, pk=row.id, backwards=backwards).as_cursor(self.order))

    def link(self, parameter: str, value: Any) -> str:
        other = "page" if parameter == "cursor" else "cursor"
        address = remove_query_param(self.request.build_absolute_uri(), other)
        return str(replace_query_param(address, parameter, value))

    # What the OpenAPI document says

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        orderings = sorted(sign + name for name in view.orderings for sign in ("", "-"))
        return [
            in_query("page", {"type": "integer", "minimum": 1, "maximum": MAX_DEPTH}, "For people: to row 10,000."),
            in_query("cursor", {"type": "string", "minLength": 1}, "For programs: to any depth. It stands in `next`."),
            in_query("page_size", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": 50}, "Rows."),
            in_query("ordering", {"type": "string", "enum": orderings, "default": view.default_ordering}, "Sort by."),
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": "string", "format": "uri", "nullable": True, "example": None}
        return {
            "type": "object",
            "required": ["results", "next", "previous", "count", "count_is_estimate"],
            "properties": {
                "results": schema,
                "next": address,
                "previous": address,
                "count": {
                    "type": "integer",
                    "nullable": True,
                    "description": "Null where not even an estimate is right.",
                    "example": 1,
                },
                "count_is_estimate": {"type": "boolean", "description": f"So above {MAX_COUNT}.", "example": False},
            },
        }


def in_query(name: str, schema: Mapping[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def chosen_order(view: Any, name: str, model: type[Model]) -> Order:
    column = view.orderings.get(name.removeprefix("-"))
    if column is None:
        raise refused_parameter("ordering", "The list cannot be sorted by this.")
    field = model._meta.pk if column == "pk" else model._meta.get_field(column)
    return Order(name=name, column=field, descending=name.startswith("-"))  # type: ignore[arg-type]


def counted(queryset: QuerySet[Any]) -> tuple[int | None, bool]:
    """How many rows there are, and whether that is an estimate."""
    keys = queryset.order_by().values("pk")
    few = keys[: MAX_COUNT + 1].count()
    if few <= MAX_COUNT:
        return few, False
    [plan] = json.loads(keys.explain(format="json"))
    estimate = plan["Plan"]["Plan Rows"]
    return (estimate if estimate >= few else None), True
