from django.apps import AppConfig
from django.contrib.admin import apps
from django.db.models.signals import post_migrate


class EcommerceConfig(AppConfig):
    name = "ecommerce"
    default = True
    verbose_name = "API access"

    def ready(self) -> None:
        from ecommerce import checks  # noqa: F401  (registers the system check)
        from ecommerce.staff.roles import offer_permissions

        post_migrate.connect(offer_permissions)


class BackOfficeConfig(apps.AdminConfig):
    default = False
    default_site = "ecommerce.site.BackOffice"
