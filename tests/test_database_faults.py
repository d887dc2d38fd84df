"""The server while its database goes away and comes back: a cluster of these tests' own, and a server in front."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from ecommerce import localdb
from tests.environment import ROOT
from tests.serving import Shop, server_environment

LAMP = {"name": "Lamp", "description": "Brass", "price": 19.99, "stock": 100}


class Database:
    def __init__(self, cluster: localdb.Cluster, url: str) -> None:
        self.cluster = cluster
        self.url = url

    def start(self) -> None:
        with self.cluster.server_lock() as server:
            self.wait_until_nothing_is_left(server)
            self.cluster.start(server)

    def stop(self) -> None:
        self.cluster.stop()

    def kill(self) -> None:
        """Its sessions end by themselves, and until then one may still take an order."""
        os.kill(int((self.cluster.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        with self.cluster.server_lock() as server:
            self.wait_until_nothing_is_left(server)

    def wait_until_nothing_is_left(self, server: int) -> None:
        for _ in self.cluster.turns_while_alive(server):
            pass


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Iterator[Database]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(localdb, "CHECKOUT", tmp_path_factory.mktemp("shop"))
        patch.setitem(localdb.SETTINGS, "max_connections", "12")
        patch.setitem(localdb.THROWAWAY_SETTINGS, "synchronous_commit", "on")  # what was answered is there afterwards
        cluster = localdb.Cluster(throwaway=True)
        with cluster.joined() as url:
            migrate = [sys.executable, "manage.py", "migrate", "-v0"]
            subprocess.run(migrate, cwd=ROOT, env=server_environment(DATABASE_URL=url), check=True)
            yield Database(cluster, url)
        shutil.rmtree(cluster.base)


def unavailable(shop: Shop, lamp: int) -> bool:
    started = time.monotonic()
    answer = shop.order(lamp)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert time.monotonic() - started < 4
    return answer.json()["code"] == "unavailable"


def stock_of(shop: Shop, lamp: int) -> int:
    products = {product["id"]: product for product in shop.get("/product/all_products").json()}
    return products[lamp]["stock"]


@pytest.mark.parametrize("fault", [Database.stop, Database.kill], ids=["stopped", "killed"])
def test_a_database_that_goes_away_is_unavailable_until_the_next_request_after_it_is_back(serve, database, fault):
    shop = serve(DATABASE_URL=database.url, WEB_CONCURRENCY="1")
    lamp = shop.post("/product/create_product", LAMP).json()["id"]
    assert shop.order(lamp).status == 201

    fault(database)
    assert unavailable(shop, lamp)
    assert unavailable(shop, lamp)
    assert shop.get("/health").status == 200

    database.start()
    assert shop.order(lamp).status == 201
    assert stock_of(shop, lamp) == 98


TERMINATE_ALL = """
    SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
     WHERE application_name = '' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def test_nobody_hears_of_a_session_that_the_server_ended_between_two_requests(serve, database):
    shop = serve(DATABASE_URL=database.url, WEB_CONCURRENCY="1", WEB_THREADS="1")
    lamp = shop.post("/product/create_product", LAMP).json()["id"]

    with psycopg.connect(database.url, autocommit=True) as operator:
        assert operator.execute(TERMINATE_ALL).fetchall() == [(True,)]

    assert shop.order(lamp).status == 201


def test_too_many_connections_are_unavailable_until_one_is_free(serve, database):
    shop = serve(DATABASE_URL=database.url, WEB_CONCURRENCY="1", WEB_THREADS="1")
    lamp = shop.post("/product/create_product", LAMP).json()["id"]

    with psycopg.connect(database.url, autocommit=True) as first, ExitStack() as others:
        first.execute(TERMINATE_ALL)
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            while True:
                others.enter_context(psycopg.connect(database.url))
        assert unavailable(shop, lamp)

    assert shop.order(lamp).status == 201
    assert stock_of(shop, lamp) == 99
