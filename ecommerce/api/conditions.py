"""Entity tags (RFC 9110): what a client has seen, so that it need not be sent again, or is not overwritten unseen."""

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import set_response_etag
from django.utils.http import parse_etags
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

TAG_WITH_VERSION = re.compile(r'(?:W/)?"([0-9]{1,9})(-[0-9]{1,19}){0,2}"')


class InvalidIfMatch(APIException):
    status_code = 400
    default_code = "invalid_if_match"


def etag(version: int, *more: int) -> str:
    """`"<version>"`, or with what else makes the representation: `"<version>-<available>-<committed>"`."""
    return '"' + "-".join(map(str, [version, *more])) + '"'


def wanted_version(request: Request) -> int | None:
    """The version in If-Match; None where any will do. Raises InvalidIfMatch."""
    sent = request.headers.get("If-Match")
    if sent is None or sent.strip() == "*":
        return None
    tag = TAG_WITH_VERSION.fullmatch(sent.strip())
    if tag is None:
        raise InvalidIfMatch
    return int(tag[1])


def answer_if_changed(request: Request, data: Any, *, tag: str) -> Response:
    """200 with the data, or 304 to a client that has it."""
    if is_known(request, tag):
        return Response(status=304, headers={"ETag": tag})
    return Response(data, headers={"ETag": tag})


def tag_content(request: Request, response: HttpResponse) -> None:
    """The tag of what is written, such as a list, whose rows have no version in common; 304 to a client that has it."""
    set_response_etag(response)
    if is_known(request, response["ETag"]):
        response.status_code = 304
        response.content = b""
        del response["Content-Type"], response["Link"]  # which tell of the content


def without_length(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Of a 304, for which Django writes a Content-Length of 0: it may only be that of the content (RFC 9110, 8.6)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == 304:
            del response["Content-Length"]
        return response

    return middleware


def is_known(request: Request, tag: str) -> bool:
    known = [seen.removeprefix("W/") for seen in parse_etags(request.headers.get("If-None-Match", ""))]
    return tag in known or "*" in known
