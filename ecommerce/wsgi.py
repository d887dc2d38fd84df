import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from ecommerce.checks import refuse_missing_limits, refuse_unsafe_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecommerce.settings")

refuse_unsafe_settings()
settings.DATABASES["default"]["OPTIONS"].update(settings.WEB_DATABASE_OPTIONS)
application = get_wsgi_application()
refuse_missing_limits(settings.LIMITS_FOR_WEB)
