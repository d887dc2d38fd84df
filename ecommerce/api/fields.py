"""The numbers of the classic contract: lax coming in, JSON numbers going out."""

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

WHOLE = re.compile(r"-?[0-9]{1,19}(\.0+)?")
AMOUNT = re.compile(r"-?[0-9]{1,20}(\.[0-9]+)?")
MAX_ID = 2**63 - 1


class LaxIntegerField(serializers.IntegerField):
    """A whole number; its digits in a string will do."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not WHOLE.fullmatch(str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """Text as it was sent: not trimmed, and no number taken for text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "number"})
class LaxMoneyField(serializers.DecimalField):
    """An amount, exact; its digits in a string will do. It is shown as a number: 14 digits survive that unchanged."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=14, decimal_places=2, **options)

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, str) and not AMOUNT.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)

    def to_representation(self, value: Decimal) -> float:  # type: ignore[override]
        return float(value)
