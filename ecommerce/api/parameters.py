import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from ecommerce.api.shared import shared

WELL_FORMED_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class InvalidParameters(ValidationError):
    """Of the address and not of the body, which is how the answer names them."""


def refused_parameter(name: str, message: str) -> InvalidParameters:
    return InvalidParameters({name: ErrorDetail(message, code="invalid")})


def refuse_odd(request: Request, *, known: Collection[str]) -> None:
    """What is unknown, given twice or empty is never ignored. Raises InvalidParameters."""
    odd = {}
    for name, values in request.query_params.lists():
        if name not in known:
            told = name if WELL_FORMED_NAME.fullmatch(name) else "?"
            odd[told] = ErrorDetail("There is no such parameter.", code="unknown")
        elif len(values) > 1:
            odd[name] = ErrorDetail("Give it once.", code="repeated")
        elif not values[0]:
            odd[name] = ErrorDetail("Give it a value, or leave it out.", code="blank")
    if odd:
        raise InvalidParameters(odd)


def read_parameters(shape: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The query parameters, checked. Raises InvalidParameters."""
    return dict(parameters_in(request.META.get("QUERY_STRING", ""), shape=shape))


@lru_cache(maxsize=256)
def parameters_in(query: str, *, shape: type[Serializer[Any]]) -> dict[str, Any]:
    """Most calls ask what others have asked, for the first page or with no parameters at all, and to check that takes
    longer than a tenth of a page. What is refused is not remembered."""
    given = QueryDict(query.encode("latin-1"))  # as WSGI has it
    repeated = [name for name in map(str, shared(shape).fields) if len(given.getlist(name)) > 1]
    if repeated:
        raise InvalidParameters({name: ErrorDetail("Give it once.", code="repeated") for name in repeated})
    try:
        return dict(shared(shape).run_validation(given.dict()))
    except ValidationError as error:
        raise InvalidParameters(error.detail) from None
