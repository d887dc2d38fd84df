from django.apps import AppConfig
from django.contrib.admin import apps


class EcommerceConfig(AppConfig):
    name = "ecommerce"
    default = True
    verbose_name = "API access"

    def ready(self) -> None:
        from ecommerce import checks  # noqa: F401  (registers the system check)


class BackOfficeConfig(apps.AdminConfig):
    default = False
    default_site = "ecommerce.site.BackOffice"
