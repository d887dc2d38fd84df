import threading
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps
from django.core.cache import caches
from django.core.signals import request_started
from django.db import connections, reset_queries
from django.db.models.signals import post_migrate
from django.urls import base


class EcommerceConfig(AppConfig):
    name = "ecommerce"
    default = True
    verbose_name = "API access"

    def ready(self) -> None:
        from ecommerce import checks  # noqa: F401  (registers the system check)
        from ecommerce.staff.roles import offer_permissions

        post_migrate.connect(offer_permissions)
        keep_by_thread(connections, "_connections")
        keep_by_thread(caches, "_connections")
        keep_by_thread(base, "_prefixes", "_urlconfs")
        if not settings.DEBUG:
            request_started.disconnect(reset_queries)  # which only DEBUG collects


def keep_by_thread(owner: Any, *names: str) -> None:
    """Django keeps connections, to databases and to caches, and how a request's addresses begin, where event loops may
    have their own too. Here are none; to look for one each time took an eighth of the Python of a request."""
    for name in names:
        setattr(owner, name, threading.local())


class BackOfficeConfig(apps.AdminConfig):
    default = False
    default_site = "ecommerce.site.BackOffice"
