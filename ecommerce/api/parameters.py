from typing import Any

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.serializers import Serializer


class InvalidParameters(ValidationError):
    """Of the address and not of the body, which is how the answer names them."""


def read_parameters(shape: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The query parameters, checked. Raises InvalidParameters."""
    serializer = shape(data=request.query_params.dict())
    repeated = [name for name in map(str, serializer.fields) if len(request.query_params.getlist(name)) > 1]
    if repeated:
        raise InvalidParameters({name: ErrorDetail("Give it once.", code="repeated") for name in repeated})
    if not serializer.is_valid():
        raise InvalidParameters(serializer.errors)
    return dict(serializer.validated_data)
