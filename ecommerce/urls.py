from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, include, path, register_converter
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularRedocView, SpectacularSwaggerView

from catalog.views import ClassicProductViewSet, MovementViewSet, ProductViewSet, StockViewSet
from ecommerce.api.converters import IdConverter
from ecommerce.health import health
from ecommerce.oauth import RevokeTokenView, TokenView
from ecommerce.views import ProblemView, WelcomeView, limited_by_address
from orders.views import ClassicOrderViewSet, EventViewSet, KeyViewSet, OrderMoveViewSet, OrderViewSet

register_converter(IdConverter, "id")
TO_READ = {"http_method_names": ["get", "head"]}


def api(route: str, view: Callable[..., Any]) -> list[URLPattern]:
    """An API path, with and without its final slash: a redirect would lose the body of a POST."""
    return [path(route, view), path(f"{route}/", view)]


api_v1 = [
    *api("products", ProductViewSet.as_view({"get": "list", "post": "create"})),
    *api(
        "products/<id:uuid>",
        ProductViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    *api("products/<id:uuid>/movements", MovementViewSet.as_view({"get": "list"})),
    *api("stock", StockViewSet.as_view({"post": "create"})),
    *api("orders", OrderViewSet.as_view({"get": "list", "post": "create"})),
    *api("orders/<id:uuid>", OrderViewSet.as_view({"get": "retrieve"})),
    *api("orders/<id:uuid>/events", EventViewSet.as_view({"get": "list"})),
    *api("orders/<id:uuid>/complete", OrderMoveViewSet.as_view({"post": "complete"})),
    *api("orders/<id:uuid>/cancel", OrderMoveViewSet.as_view({"post": "cancel"})),
    *api("orders/<id:uuid>/ship", OrderMoveViewSet.as_view({"post": "ship"})),
    *api("orders/<id:uuid>/extend", OrderMoveViewSet.as_view({"post": "extend"})),
    *api("orders/<id:uuid>/notes", OrderMoveViewSet.as_view({"post": "note"})),
    # The form with the slash first, since a key may hold slashes itself
    *reversed(api("requests/<path:key>", KeyViewSet.as_view({"get": "retrieve"}))),
]

urlpatterns = [
    # The classic API
    *api("order/create_order", ClassicOrderViewSet.as_view({"post": "create"})),
    *api("product/all_products", ClassicProductViewSet.as_view({"get": "list"})),
    *api("product/create_product", ClassicProductViewSet.as_view({"post": "create"})),
    path("api/v1/", include(api_v1)),
    path("", WelcomeView.as_view()),
    *api("health", health),
    # Access tokens for programs
    *api("o/token", limited_by_address(TokenView.as_view(), of="tokens")),
    *api("o/revoke_token", limited_by_address(RevokeTokenView.as_view(), of="tokens")),
    # The documentation
    path("openapi.json", SpectacularJSONAPIView.as_view(**TO_READ), name="schema"),
    path("docs", SpectacularSwaggerView.as_view(url_name="schema", **TO_READ)),
    path("redoc", SpectacularRedocView.as_view(url_name="schema", **TO_READ)),
    path("problems/<slug:code>", ProblemView.as_view()),
    # The back office
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/login/", limited_by_address(admin.site.login, of="logins")),
    path("admin/", admin.site.urls),
]

handler400 = "ecommerce.api.problems.bad_request"
handler403 = "ecommerce.api.problems.permission_denied"
handler404 = "ecommerce.api.problems.not_found"
handler500 = "ecommerce.api.problems.server_error"
