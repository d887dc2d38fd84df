"""Fields of JSON bodies. The classic contract is lax about numbers (Lax...), API v1 is not."""

import re
import unicodedata
from decimal import Decimal
from typing import Any

from django.core.validators import EmailValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

WHOLE = re.compile(r"-?[0-9]{1,19}(\.0+)?")
AMOUNT = re.compile(r"-?[0-9]{1,20}(\.[0-9]+)?")
EXACT_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
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


class NameField(TextField):
    """One line of text for people. What cannot be seen, or turns the rest of the line round, is refused; the joiners of
    Persian words and of emoji are not."""

    default_error_messages = {
        "unprintable": "Control characters do not belong here.",
        "space": "It begins or ends with a space.",
        "invisible": "There is nothing in it that can be seen.",
    }
    JOINERS = "\u200c\u200d"
    BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # letters and a symbol, to Unicode, of which nothing is drawn

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if any(
            unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in text if sign not in self.JOINERS
        ):
            self.fail("unprintable")
        if text != text.strip():
            self.fail("space")
        if all(sign in self.JOINERS + self.BLANK for sign in text):
            self.fail("invisible")
        return text


@extend_schema_field({"type": "string", "format": "email", "maxLength": 254})
class EmailField(NameField):
    """An address, of which every sign can be seen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)
        self.validators.append(EmailValidator("Enter a valid email address."))


class ParagraphField(TextField):
    """Text for people, of any number of lines."""

    default_error_messages = {"unprintable": "Control characters do not belong here."}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text if sign not in "\n\r\t"):
            self.fail("unprintable")
        if not self.allow_blank and not text.strip():
            self.fail("blank")
        return text


class WholeNumberField(serializers.IntegerField):
    """A JSON integer: no string, no fraction."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """`true` or `false`, and nothing that merely looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class WordField(serializers.ChoiceField):
    """One of a closed list. What was sent instead is not repeated."""

    default_error_messages = {"invalid_choice": "It must be one of those that the documentation lists."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice")
        return super().to_internal_value(data)


@extend_schema_field({"type": "boolean"})
class FlagField(WordField):
    """`true` or `false` in a query."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=["true", "false"], **options)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) == "true"


class MoneyField(serializers.DecimalField):
    """An amount, exact: `"19.99"`, and coming in also the JSON number. It goes out as a string of two decimals."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=14, decimal_places=2, **options)

    def to_internal_value(self, data: Any) -> Decimal:
        is_number = type(data) in (int, Decimal)
        if not is_number and not (isinstance(data, str) and EXACT_AMOUNT.fullmatch(data)):
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
