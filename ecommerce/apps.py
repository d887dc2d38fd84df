import threading
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps
from django.core.cache import caches
from django.core.signals import request_started
from django.db import connections, reset_queries
from django.db.models.signals import post_migrate


class EcommerceConfig(AppConfig):
    name = "ecommerce"
    default = True
    verbose_name = "API access"

    def ready(self) -> None:
        from ecommerce import checks  # noqa: F401  (registers the system check)
        from ecommerce.staff.roles import offer_permissions

        post_migrate.connect(offer_permissions)
        keep_by_thread(connections, caches)
        if not settings.DEBUG:
            request_started.disconnect(reset_queries)  # which only DEBUG collects


def keep_by_thread(*handlers: Any) -> None:
    """Django keeps connections, to databases and to caches, where event loops may have their own too. Here are none; to
    ask for one each time somebody looks for a connection takes a tenth of the Python of a request."""
    for handler in handlers:
        handler._connections = threading.local()


class BackOfficeConfig(apps.AdminConfig):
    default = False
    default_site = "ecommerce.site.BackOffice"
