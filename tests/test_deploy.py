"""What an operator relies on: it refuses unsafe settings, and what is written about it is true."""

import io
import re
import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from catalog.models import Product
from ecommerce.checks import refuse_missing_limits, refuse_unsafe_settings, unsafe_settings
from ecommerce.settings import number_of_proxies
from tests.environment import ROOT, clean_environment, variables_read
from tests.factories import ProductFactory
from tests.races import in_thread, race

STRONG = "a7Kq-strong-secret-of-forty-characters-or-more"


@pytest.fixture
def production(settings):
    settings.LOCAL, settings.DEBUG, settings.API_OPEN = False, False, "none"
    settings.SECRET_KEY, settings.ALLOWED_HOSTS = STRONG, ["shop.example.com"]
    return settings


def test_serves_with_safe_settings(production):
    refuse_unsafe_settings()


UNSAFE = [
    ("SECRET_KEY", ""),
    ("SECRET_KEY", "short"),
    ("SECRET_KEY", "x" * 60),
    ("SECRET_KEY", "django-insecure-" + STRONG),
    ("DEBUG", True),
    ("ALLOWED_HOSTS", []),
    ("ALLOWED_HOSTS", ["shop.example.com", "*"]),
    ("API_OPEN", "all"),
    ("API_OPEN", "yes"),
    ("SHOP_CURRENCY", "dollars"),
    ("SHOP_TIME_ZONE", "Mars/Olympus"),
    ("CACHE_URL", "localhost:6379"),
    ("CACHE_URL", "redis://host:port"),
]


@pytest.mark.parametrize(("name", "value"), UNSAFE)
def test_refuses_to_serve_with_an_unsafe_setting_and_names_it(production, name, value):
    setattr(production, name, value)

    with pytest.raises(ImproperlyConfigured) as refusal:
        refuse_unsafe_settings()

    assert name in str(refusal.value)
    assert not value or str(value) not in str(refusal.value).replace("API_OPEN=all", "")


@pytest.mark.parametrize("database", [{"NAME": ""}, {"NAME": "shop", "ENGINE": "django.db.backends.sqlite3"}])
def test_refuses_to_serve_without_postgresql(production, monkeypatch, database):
    monkeypatch.setitem(production.DATABASES, "default", production.DATABASES["default"] | database)

    assert any("DATABASE_URL" in fault for fault in unsafe_settings())


def test_wsgi_refuses_in_a_bare_environment_and_says_what_is_missing():
    wsgi = subprocess.run(
        [sys.executable, "-c", "import ecommerce.wsgi"],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )

    assert wsgi.returncode == 1
    for name in ("SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS"):
        assert name in wsgi.stderr.splitlines()[-1]


MALFORMED = {"WEB_THREADS": "x", "WEB_CONCURRENCY": "2.5", "LOG_LEVEL": "loud", "RATE_LIMIT": "-1", "TRUST_PROXY": "-1"}


@pytest.mark.parametrize("setting", MALFORMED.items())
def test_a_malformed_setting_is_named(setting):
    name, value = setting
    check = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=clean_environment() | {name: value},
        capture_output=True,
        text=True,
    )

    assert check.returncode == 1
    assert check.stderr.splitlines()[-1].startswith(f"django.core.exceptions.ImproperlyConfigured: {name} must be ")


def test_lists_may_have_spaces_and_the_address_of_the_database_keeps_its_options():
    read = "from ecommerce.settings import *; print(ALLOWED_HOSTS, DATABASES['default']['OPTIONS']['options'])"
    variables = {"ALLOWED_HOSTS": "a.example, b.example", "DATABASE_URL": "postgresql://x@y/z?options=-c%20geqo=off"}

    python = [sys.executable, "-c", read]
    printed = subprocess.run(python, cwd=ROOT, env=clean_environment() | variables, capture_output=True, text=True)

    assert printed.stdout == (
        "['a.example', 'b.example'] -c geqo=off"
        " -c lock_timeout=2s -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
        " -c plan_cache_mode=force_generic_plan -c jit=off\n"
    )


@pytest.mark.parametrize(("value", "proxies"), [("true", 1), ("1", 1), ("False", 0), ("", 0), ("0", 0), ("2", 2)])
def test_how_many_proxies_stand_in_front_may_be_said_as_before(monkeypatch, value, proxies):
    monkeypatch.setenv("TRUST_PROXY", value)

    assert number_of_proxies("TRUST_PROXY") == proxies


def test_the_deployment_checks_of_django_have_nothing_to_add():
    safe = {"SECRET_KEY": STRONG, "ALLOWED_HOSTS": "shop.example.com", "DATABASE_URL": "postgresql://x@127.0.0.1/x"}

    check = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=clean_environment() | safe,
        capture_output=True,
        text=True,
    )

    assert (check.returncode, check.stderr) == (0, "")


@pytest.mark.django_db(transaction=True)
def test_commands_keep_a_limit_on_waiting_for_locks_and_none_on_statements(settings):
    refuse_missing_limits(settings.LIMITS_FOR_COMMANDS)

    with pytest.raises(ImproperlyConfigured, match="statement_timeout, idle_in_transaction_session_timeout"):
        refuse_missing_limits(settings.LIMITS_FOR_WEB)


@pytest.mark.django_db(transaction=True)
def test_migrations_take_turns():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [0x5A0B])
        migrating, outcomes = in_thread(lambda: call_command("migrate", verbosity=0))
        migrating.join(timeout=0.5)
        assert migrating.is_alive()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [0x5A0B])
    migrating.join()

    assert outcomes == [None]


@pytest.mark.django_db(transaction=True)
def test_the_first_owner_is_made_once_by_however_many_instances(settings):
    settings.OWNER_EMAIL, settings.OWNER_PASSWORD = "mia@example.com", "a long pass phrase"

    outcomes = race([lambda: call_command("ensure_owner")] * 4)

    assert outcomes == [None] * 4
    owner = User.objects.get()
    assert (owner.username, owner.is_superuser, owner.check_password("a long pass phrase")) == (
        "mia@example.com",
        True,
        True,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("email", "password"), [("mia@example.com", ""), ("mia@example.com", "123"), ("mia", STRONG)])
def test_a_weak_owner_is_refused(settings, email, password):
    settings.OWNER_EMAIL, settings.OWNER_PASSWORD = email, password

    with pytest.raises(CommandError, match="OWNER_EMAIL or OWNER_PASSWORD"):
        call_command("ensure_owner")

    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_generated_password_is_printed_once_and_works():
    first, second = io.StringIO(), io.StringIO()

    call_command("ensure_owner", generate=True, stdout=first)
    call_command("ensure_owner", generate=True, stdout=second)

    password = re.search(r"Staff user: owner   password \(shown once\): (\S+)", first.getvalue())[1]
    assert User.objects.get().check_password(password)
    assert second.getvalue() == ""


@pytest.mark.django_db(transaction=True)
def test_the_demo_catalogue_goes_into_an_empty_shop_only():
    call_command("load_demo", stdout=io.StringIO())
    assert Product.objects.count() == 10

    Product.objects.filter(sku="CLIP-100").update(name="Renamed")
    call_command("load_demo")
    assert Product.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_the_demo_catalogue_leaves_a_shop_with_products_alone():
    ProductFactory()

    call_command("load_demo")

    assert Product.objects.count() == 1


def test_the_example_environment_lists_every_variable():
    listed = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert set(listed) == variables_read() | {"POSTGRES_PASSWORD"}
    assert len(listed) == len(set(listed))


def test_the_readme_tells_every_variable():
    table = re.findall(r"^\| `([A-Z_]+)`", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert set(table) == variables_read()
