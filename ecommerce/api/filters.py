"""Parameters of lists: each is checked, none is ignored."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request

from ecommerce.api.fields import EXACT_AMOUNT, MAX_ID
from ecommerce.api.parameters import InvalidParameters, refuse_odd


class AskedFilterSet(FilterSet):
    """Only of the filters that a request names: to make all of them anew takes a sixth of the time of a page."""

    base_filters: dict[str, Any]

    def __init__(self, data: QueryDict, *args: Any, **options: Any) -> None:
        self.base_filters = {name: made for name, made in self.base_filters.items() if name in data}
        super().__init__(data, *args, **options)


class StrictFilterBackend(DjangoFilterBackend):
    """Refuses what it does not know, what comes twice and what is empty, also where the view has no filters at all."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset = self.get_filterset(request, queryset, view)
        filters = type(filterset).base_filters if filterset else ()
        refuse_odd(request, known={*filters, *view.paginator.parameters})
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise InvalidParameters(refusals_of(filterset))
        found: QuerySet[Any] = filterset.qs
        return found


def refusals_of(filterset: FilterSet) -> dict[str, list[ErrorDetail]]:
    return {
        name: [ErrorDetail(message, code="invalid") for error in errors for message in error.messages]
        for name, errors in filterset.errors.as_data().items()
    }


class WholeNumberField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        if not value:
            return None
        if not re.fullmatch("[0-9]{1,19}", value) or not 0 < int(value) <= MAX_ID:
            raise forms.ValidationError("A whole number above 0 is needed.")
        return int(value)


class AmountField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        if not value:
            return None
        if not EXACT_AMOUNT.fullmatch(value):
            raise forms.ValidationError("An amount such as 19.99 is needed.")
        return Decimal(value)


class FlagField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        if value not in ("true", "false", "", None):
            raise forms.ValidationError("Say true or false.")
        return None if not value else value == "true"


class TimeField(forms.CharField):
    """ISO 8601 with a zone."""

    def to_python(self, value: Any) -> Any:
        if not value:
            return None
        try:
            time = datetime.fromisoformat(value)
            if time.tzinfo is None:
                raise ValueError("no zone")
            return time.astimezone(UTC)
        except (ValueError, OverflowError):
            raise forms.ValidationError("A time with a zone is needed, such as 2026-11-23T09:00:00Z.") from None


class WordField(forms.ChoiceField):
    default_error_messages = {"invalid_choice": "It must be one of those that the documentation lists."}


@extend_schema_field({"type": "integer", "minimum": 1})
class WholeNumberFilter(django_filters.Filter):
    field_class = WholeNumberField


@extend_schema_field({"type": "string", "pattern": r"^\d{1,12}(\.\d{1,2})?$"})
class AmountFilter(django_filters.Filter):
    field_class = AmountField


@extend_schema_field({"type": "boolean"})
class FlagFilter(django_filters.Filter):
    field_class = FlagField


@extend_schema_field({"type": "string", "format": "date-time"})
class TimeFilter(django_filters.Filter):
    field_class = TimeField


class TextFilter(django_filters.Filter):
    field_class = forms.CharField

    def __init__(self, *args: Any, max_length: int = 255, **options: Any) -> None:
        super().__init__(*args, max_length=max_length, strip=False, **options)
        extend_schema_field({"type": "string", "minLength": 1, "maxLength": max_length})(self)


class WordFilter(django_filters.Filter):
    """One of a closed list."""

    field_class = WordField

    def __init__(self, *args: Any, words: list[str], **options: Any) -> None:
        super().__init__(*args, choices=[(word, word) for word in words], **options)
        extend_schema_field({"type": "string", "enum": words})(self)
