"""What must be so before the first request is served."""

import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

import structlog
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

log = structlog.get_logger(__name__)


def is_strong(secret_key: str) -> bool:
    return len(secret_key) >= 40 and len(set(secret_key)) >= 5 and not secret_key.startswith("django-insecure-")


def is_redis_address(url: str) -> bool:
    from redis import ConnectionPool  # whose memory only a shop with a Redis has to spend

    try:
        ConnectionPool.from_url(url)
    except ValueError:
        return False
    return True


def unsafe_settings() -> Iterator[str]:
    """A sentence for each setting that must not be served with; it names the variable and never its value."""
    if settings.API_OPEN not in {"none", "classic", "all"}:
        yield "API_OPEN must be none, classic or all."
    if not re.fullmatch("[A-Z]{3}", settings.SHOP_CURRENCY):
        yield "SHOP_CURRENCY must be a code of three capital letters, such as USD."
    if settings.SHOP_TIME_ZONE not in available_timezones():
        yield "SHOP_TIME_ZONE must be the name of a time zone, such as Europe/Paris."
    if not settings.DATABASES["default"].get("NAME"):
        yield "DATABASE_URL is missing: postgresql://user:password@host:5432/database"
    elif settings.DATABASES["default"]["ENGINE"] != "ecommerce.postgresql":
        yield "DATABASE_URL must be a PostgreSQL address: the locks that keep stock right exist nowhere else."
    if settings.CACHE_URL and not is_redis_address(settings.CACHE_URL):
        yield "CACHE_URL must be the address of a Redis: redis://host:6379/0"
    if settings.LOCAL:
        return
    if not is_strong(settings.SECRET_KEY):
        yield "SECRET_KEY is missing or weak: at least 40 characters, 5 of them different."
    if settings.DEBUG:
        yield "DEBUG shows the inside of the shop to strangers: leave it out."
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        yield "ALLOWED_HOSTS must list the host names of this shop, and not *."
    if settings.API_OPEN == "all":
        yield "API_OPEN=all lets anybody do anything: it is for LOCAL=1 only."


@checks.register(checks.Tags.security)
def check_settings(**_: Any) -> list[checks.CheckMessage]:
    return [checks.Error(fault, id="ecommerce.E001") for fault in unsafe_settings()]


def refuse_unsafe_settings() -> None:
    if faults := list(unsafe_settings()):
        raise ImproperlyConfigured(" ".join(faults))


def refuse_missing_limits(limits: dict[str, str]) -> None:
    """A pooler may drop connection options without a word, and then a lost client would hold its locks for ever."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [list(limits)])
            in_force = dict(cursor.fetchall())
            cursor.execute("SELECT quote_ident(current_user)")
            [role] = cursor.fetchone()
    except OperationalError:
        log.warning("database_away", detail="The limits of the connection could not be looked at.")
        return
    finally:
        connection.close()
    if missing := {name: value for name, value in limits.items() if in_force[name] != value}:
        remedy = " ".join(f"ALTER ROLE {role} SET {name} = '{value}';" for name, value in missing.items())
        raise ImproperlyConfigured(
            f"The database connection does not keep {', '.join(missing)}."
            f" Behind a pooler, set DATABASE_POOLER=1, then let it connect anew after: {remedy}"
        )
