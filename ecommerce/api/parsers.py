import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any, NoReturn

from django.conf import settings
from django.http import UnreadablePostError
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

MAX_DEPTH = 20


class PayloadTooLarge(APIException):
    status_code = 413
    default_code = "payload_too_large"


class StrictJSONParser(BaseParser):
    """JSON as RFC 8259 has it: UTF-8, no NaN, no key twice. Fractions arrive as Decimal, so that money stays exact."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        _, parameters = parse_header_parameters(media_type or "")
        if parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(media_type or "")
        try:
            body = stream.read(settings.BODY_LIMIT + 1)
            if len(body) > settings.BODY_LIMIT:
                raise PayloadTooLarge
            if len(body) < int((parser_context or {})["request"].META.get("CONTENT_LENGTH") or 0):
                raise ParseError
            value = DECODER.decode(body.decode())
        except (ValueError, InvalidOperation, RecursionError, UnreadablePostError):
            raise ParseError from None
        if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
            refuse_deeper_than(value, levels=MAX_DEPTH)
        return value


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("the same key twice")
    return value


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=refuse_constant, object_pairs_hook=object_of)


def refuse_deeper_than(value: Any, *, levels: int) -> None:
    children: Iterable[Any]
    if isinstance(value, dict):
        children = value.values()
    elif isinstance(value, list):
        children = value
    else:
        return
    if not levels:
        raise ParseError
    for child in children:
        refuse_deeper_than(child, levels=levels - 1)
