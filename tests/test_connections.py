"""Connections to databases and caches: each thread has its own, and finds it at once."""

import threading

import pytest
from django.core.cache import CacheHandler
from django.db import connections
from django.db.utils import ConnectionHandler

from ecommerce.apps import keep_by_thread
from tests.races import race


@pytest.fixture(params=[ConnectionHandler, CacheHandler], ids=["databases", "caches"])
def handler(request):
    handler = request.param()
    keep_by_thread(handler)
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
    assert type(connections._connections) is threading.local
