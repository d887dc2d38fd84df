"""Behind PgBouncer, which lends a connection for one transaction and takes no limits along with it."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection, transaction

from catalog.services import stock
from ecommerce import localdb
from ecommerce.settings import LIMITS_FOR_WEB
from orders.models import Order
from tests.environment import ROOT
from tests.factories import ProductFactory, available
from tests.serving import server_environment

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed here")

CONFIGURATION = """
[databases]
shop = {target}
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = 4
"""


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def current_user() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return cursor.fetchone()[0]


@pytest.fixture
def role(transactional_db) -> Iterator[str]:
    name = f"pooled_{connection.settings_dict['NAME']}"
    sql(f"CREATE ROLE {name} LOGIN PASSWORD 'pooled'; GRANT {connection.ops.quote_name(current_user())} TO {name}")
    yield name
    sql(f"DROP ROLE {name}")


@contextmanager
def pgbouncer(role: str) -> Iterator[dict[str, str]]:
    """The variables that lead a server of ours through it."""
    account = localdb.account_of_owner(Path("/nobody has it"))  # root may not run it either
    connection.ensure_connection()
    info = connection.connection.info
    target = {"host": info.host, "port": info.port, "dbname": info.dbname, "user": role, "password": "pooled"}
    with tempfile.TemporaryDirectory(prefix="pooler") as folder:
        file = Path(folder, "pgbouncer.ini")
        file.write_text(
            CONFIGURATION.format(folder=folder, target=" ".join(f"{name}={value}" for name, value in target.items()))
        )
        if account:
            os.chown(folder, account["user"], account["group"])
        process = subprocess.Popen([PGBOUNCER, "-q", file], stderr=subprocess.DEVNULL, **account)
        try:
            url = f"postgresql://{role}@/shop?host={folder}&port=6432"
            wait_for(url)
            yield {"DATABASE_URL": url, "DATABASE_POOLER": "1"}
        finally:
            process.kill()
            process.wait()


def wait_for(url: str) -> None:
    for _ in range(50):
        try:
            return psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise AssertionError("pgbouncer did not start")


@pytest.fixture
def pooler(role) -> Iterator[dict[str, str]]:
    for name, value in LIMITS_FOR_WEB.items():
        sql(f"ALTER ROLE {role} SET {name} = '{value}'")
    with pgbouncer(role) as variables:
        yield variables


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=server_environment(**variables), capture_output=True, text=True)


def test_refuses_to_start_without_limits_on_the_role_and_says_how_to_set_them(role):
    with pgbouncer(role) as variables:
        refused = run("-c", "import ecommerce.wsgi", **variables)

    assert refused.returncode == 1
    reason = refused.stderr.splitlines()[-1]
    assert "does not keep lock_timeout, statement_timeout, idle_in_transaction_session_timeout" in reason
    for name, value in LIMITS_FOR_WEB.items():
        assert f"ALTER ROLE {role} SET {name} = '{value}';" in reason


def test_fifty_buyers_through_it_get_the_twenty_units(pooler, serve):
    shop, lamp = serve(**pooler), ProductFactory(stock=20)

    with ThreadPoolExecutor(25) as buyers:
        answers = list(buyers.map(lambda _: shop.order(lamp.pk), range(50)))

    assert Counter(answer.status for answer in answers) == {201: 20, 400: 30}
    assert (available(lamp), Order.objects.count()) == (0, 20)


def test_a_held_lock_is_busy_through_it(pooler, serve):
    shop, lamp = serve(**pooler), ProductFactory()

    with transaction.atomic():
        stock.lock([lamp.pk])
        started = time.monotonic()
        answer = shop.order(lamp.pk)

    assert 1.9 < time.monotonic() - started < 4
    assert (answer.status, answer.json()["code"]) == (503, "busy")
    assert available(lamp) == 10


def test_the_books_are_checked_and_the_worker_works_through_it(pooler):
    ProductFactory()

    for command in (["check_books"], ["work", "--once"]):
        done = run("manage.py", *command, **pooler)
        assert (done.returncode, "balance" in done.stdout or "books_checked" in done.stdout) == (0, True), done


def test_migrations_want_postgresql_itself_and_say_so(pooler):
    refused = run("manage.py", "migrate", **pooler)

    assert refused.returncode == 1
    assert "DATABASE_POOLER=0" in refused.stderr
