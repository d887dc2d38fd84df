"""Serializers that all requests use at once, to check or to show and no more: they have neither data nor a context.

To make one for a request, DRF copies each of its fields, which takes longer than what it is made for.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from rest_framework.serializers import Serializer, ValidationError


@cache
def shared(shape: type[Serializer[Any]]) -> Serializer[Any]:
    return shape()


def validated(shape: type[Serializer[Any]], data: Any) -> Any:
    """As `checked(shape(data=data))`."""
    try:
        return shared(shape).run_validation(data)
    except ValidationError:
        serializer = shape(data=data)  # which words what is wrong with the whole of it
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


def shown(shape: type[Serializer[Any]], row: Any) -> Any:
    """As `shape(row).data`."""
    return shared(shape).to_representation(row)


def shown_each(shape: type[Serializer[Any]], rows: Iterable[Any]) -> list[Any]:
    """As `shape(rows, many=True).data`."""
    represent = shared(shape).to_representation
    return [represent(row) for row in rows]


def time_shown(time: datetime | None) -> str | None:
    """As a DateTimeField shows it. What comes from the database is in UTC."""
    return None if time is None else time.isoformat().replace("+00:00", "Z")
