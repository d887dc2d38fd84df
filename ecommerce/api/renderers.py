from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework import renderers
from rest_framework.utils.encoders import JSONEncoder

of_other_types = JSONEncoder().default


class JSONRenderer(renderers.JSONRenderer):
    """DRF's, written by orjson."""

    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        return orjson.dumps(data, default=of_other_types, option=orjson.OPT_PASSTHROUGH_DATETIME)
