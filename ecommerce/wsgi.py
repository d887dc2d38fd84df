import os
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from ecommerce.checks import refuse_missing_limits, refuse_unsafe_settings


def with_known_length(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Django takes a body without a Content-Length, which comes in chunks, for an empty one."""

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
            body = environ["wsgi.input"].read(settings.BODY_LIMIT + 1)
            environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return application(environ, start_response)

    return wrapped


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecommerce.settings")

refuse_unsafe_settings()
settings.DATABASES["default"].update(settings.WEB_DATABASE)
application = with_known_length(get_wsgi_application())
refuse_missing_limits(settings.LIMITS_FOR_WEB)
