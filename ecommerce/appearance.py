"""The look of the back office: names, colours, and a menu that shows whoever looks what they may open."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse_lazy


def shop_name(request: HttpRequest) -> str:
    return str(settings.SHOP_NAME)


def may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def link(title: str, icon: str, page: str, *, permission: str | None = None) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{page}"),
        **({"permission": may(permission)} if permission else {}),
    }


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": shop_name,
    "SITE_HEADER": shop_name,
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "storefront",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "data:,"}],
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(60% .105 184.7)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(27.7% .046 192.524)",
            "950": "oklch(22% .038 193)",
        }
    },
    "DASHBOARD_CALLBACK": "orders.dashboard.page.dashboard",
    "COMMAND": {"search_models": False, "search_callback": "orders.dashboard.search.search"},
    "ACCOUNT": {
        "navigation": [
            link("Change password", "", "password_change"),
            link("Second factor", "", "second_factor"),
        ]
    },
    "SIDEBAR": {
        "show_search": False,
        "command_search": True,
        "navigation": [
            {
                "items": [
                    link("Dashboard", "monitoring", "index"),
                    link(
                        "Checks of the books",
                        "fact_check",
                        "orders_bookscheck_changelist",
                        permission="orders.view_bookscheck",
                    ),
                ]
            },
            {
                "title": "Orders",
                "items": [
                    link("Orders", "receipt_long", "orders_order_changelist", permission="orders.view_order"),
                    link("Holds", "timer", "orders_order_holds", permission="orders.view_order"),
                ],
            },
            {
                "title": "Catalogue",
                "items": [
                    link("Products", "sell", "catalog_product_changelist", permission="catalog.view_product"),
                    link(
                        "Stock movements",
                        "swap_vert",
                        "catalog_stockmovement_changelist",
                        permission="catalog.view_stockmovement",
                    ),
                    link(
                        "Imports", "upload_file", "catalog_productimport_changelist", permission="catalog.add_product"
                    ),
                ],
            },
            {
                "title": "Access",
                "items": [
                    link("Staff", "badge", "auth_user_changelist", permission="auth.view_user"),
                    link("Roles", "admin_panel_settings", "auth_group_changelist", permission="auth.view_group"),
                    link(
                        "Failed logins",
                        "lock",
                        "axes_accessattempt_changelist",
                        permission="axes.view_accessattempt",
                    ),
                    link("API clients", "key", "ecommerce_client_changelist", permission="ecommerce.view_client"),
                ],
            },
        ],
    },
}
