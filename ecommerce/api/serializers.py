from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from ecommerce.api.parameters import WELL_FORMED_NAME


class StrictSerializer(serializers.Serializer[Any]):
    """A body of API v1: what it does not know, it refuses."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError(
                {
                    name if WELL_FORMED_NAME.fullmatch(name) else "?": ErrorDetail("There is no such field.", "unknown")
                    for name in sorted(unknown)
                }
            )
        return super().to_internal_value(data)


class NothingSerializer(StrictSerializer):
    """A body that says nothing: `{}`, or none at all."""


def checked(serializer: serializers.BaseSerializer[Any]) -> Any:
    """The validated data. Raises ValidationError."""
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data
