"""Connections to databases and caches: each thread has its own, and finds it at once. And what it says of its waits."""

import threading

import pytest
from django.core.cache import CacheHandler
from django.db import connection, connections
from django.db.utils import ConnectionHandler
from django.urls import base as urls

from catalog.models import Product
from ecommerce import prepared
from ecommerce.apps import keep_by_thread
from ecommerce.postgresql import base
from tests.races import race


@pytest.fixture(params=[ConnectionHandler, CacheHandler], ids=["databases", "caches"])
def handler(request):
    handler = request.param()
    keep_by_thread(handler, "_connections")
    return handler


def test_each_thread_has_its_own_and_keeps_it(handler):
    found = race([lambda: (handler["default"], handler["default"])] * 4)

    assert all(first is second for first, second in found)
    assert len({id(first) for first, _ in found}) == 4


def test_nobody_asks_for_an_event_loop_to_find_one(handler, monkeypatch):
    asked = []
    monkeypatch.setattr("asyncio.get_running_loop", lambda: asked.append(1))
    monkeypatch.setattr("asgiref.local._CVar._storage", lambda self: asked.append(1))

    assert handler.all() == [handler[alias] for alias in handler]
    assert not asked


def test_the_shop_s_own_are_kept_so():
    kept = [connections._connections, urls._prefixes, urls._urlconfs]

    assert [type(own) for own in kept] == [threading.local] * 3


@pytest.mark.parametrize(
    ("address", "elsewhere"),
    [("", False), ("127.0.0.1", False), ("::1", False), ("10.1.2.3", True), ("fd00::7", True)],
)
def test_a_server_is_elsewhere_by_its_address(address, elsewhere):
    assert base.is_elsewhere(address) is elsewhere


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("address", "pooler", "says_so"),
    [("10.1.2.3", False, True), ("127.0.0.1", True, True), ("127.0.0.1", False, False)],
)
def test_who_waits_for_a_server_elsewhere_says_so_before(monkeypatch, settings, address, pooler, says_so):
    waits = []
    settings.DATABASE_POOLER = pooler
    monkeypatch.setattr("psycopg.ConnectionInfo.hostaddr", address)
    monkeypatch.setattr("ecommerce.waiting.before_waiting", [lambda: waits.append(1)])
    connection.close()

    def waits_of(action):
        waits.clear()
        action()
        return len(waits)

    try:
        connection.ensure_connection()
        asked = [
            waits_of(lambda: Product.objects.exists()),
            waits_of(lambda: prepared.fetch("SELECT 1", {})),
            waits_of(lambda: prepared.fetch(prepared.THEN.join(["SELECT 1", "SELECT 2"]), {})),
        ]
    finally:
        connection.close()

    assert [count > 0 for count in asked] == [says_so] * 3
