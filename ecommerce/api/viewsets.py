from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from ecommerce.api.conditions import tag_content
from ecommerce.api.parameters import refuse_odd


class ApiViewSet(GenericViewSet[Any]):
    """Tells which methods an address has (`Allow`) to whoever asks, or tries another. DRF tells it everybody."""

    @property
    def default_response_headers(self) -> dict[str, str]:
        return super().default_response_headers if self.action in (None, "metadata") else {}


class StrictViewSet(ApiViewSet):
    """Of API v1: a query parameter that an action does not read is refused. The filters of a list see to its own."""

    parameters: ClassVar[Mapping[str, Collection[str]]] = {}  # by action

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action not in ("list", None):  # None: of a method that is not served here
            refuse_odd(request, known=self.parameters.get(self.action, ()))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        if self.action == "list" and final.status_code == 200:
            final.add_post_render_callback(partial(tag_content, request))
        return final
