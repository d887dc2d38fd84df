"""The one worker: what happens though nobody asks for it."""

import os
import signal
import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import call_command
from django.db import InternalError, OperationalError, connection
from django.utils import timezone
from oauth2_provider.models import AccessToken

from orders.management.commands import work
from orders.models import Order
from tests.environment import ROOT
from tests.factories import ProductFactory, available, placed
from tests.test_holds import held, let_time_pass
from tests.test_logging import line

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_round_sweeps_holds_however_many():
    lamp = ProductFactory(stock=1000)
    let_time_pass(*[held(lamp, 1) for _ in range(150)])

    work.Command().sweep()

    assert available(lamp) == 1000


def test_the_night_checks_the_books_and_clears_old_tokens(lines):
    order = placed({ProductFactory(): 1})
    Order.objects.update(total_price=100)
    now = timezone.now()
    AccessToken.objects.create(token="old", expires=now - timedelta(hours=2))
    AccessToken.objects.create(token="new", expires=now + timedelta(hours=1))

    call_command("work", once=True)

    told = lines()
    assert line(told, "books_fault")["what"] == f"order {order.pk}"
    assert line(told, "books_checked")["faults"] == 1
    assert AccessToken.objects.count() == 1


@pytest.mark.parametrize(
    ("utc", "night"),
    [
        ("2026-01-02T01:59", date(2026, 1, 1)),
        ("2026-01-02T02:00", date(2026, 1, 2)),
        ("2026-01-02T23:00", date(2026, 1, 2)),
    ],
)
def test_the_night_is_at_three_by_the_clock_of_the_shop(settings, monkeypatch, utc, night):
    settings.SHOP_TIME_ZONE = "Europe/Paris"
    moment = datetime.fromisoformat(f"{utc}+00:00")
    monkeypatch.setattr(timezone, "now", lambda: moment)

    assert work.last_night() == night


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OperationalError, psycopg.OperationalError("gone")),
        (InternalError, psycopg.errors.ReadOnlySqlTransaction("a standby")),
    ],
)
def test_a_round_without_a_database_is_told_and_the_next_one_works(lines, error, cause):
    lamp = ProductFactory()
    let_time_pass(held(lamp))
    worker = work.Command()
    worker.last_night = work.last_night()

    def fail(*_):
        raise error from cause

    with connection.execute_wrapper(fail):
        worker.round()
    assert line(lines(), "database_fault")["error"] == type(cause).__name__
    worker.round()

    assert available(lamp) == 10


def test_a_worker_works_until_it_is_told_to_stop():
    lamp = ProductFactory()
    let_time_pass(held(lamp))
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()

    worker = subprocess.Popen([sys.executable, "manage.py", "work"], cwd=ROOT, env=os.environ | {"DATABASE_URL": url})
    for _ in range(150):
        if available(lamp) == 10:
            break
        time.sleep(0.1)
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=10) == 0
    assert available(lamp) == 10
