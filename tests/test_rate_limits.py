"""How often one may call: clients by the second, unknown addresses by the minute."""

import shutil
import signal
import socket
import subprocess
import time
from types import SimpleNamespace

import pytest
from django.core.cache import caches
from django.test import RequestFactory

from ecommerce.api import throttling
from ecommerce.models import Client
from orders.models import Order
from tests.factories import ProductFactory, available
from tests.races import race
from tests.serving import free_port
from tests.test_classic_api import PRODUCTS, order
from tests.test_clients import as_fields, bearer, new_client

LOGIN, TOKEN = "/admin/login/", "/o/token/"


@pytest.fixture(autouse=True)
def _closed(settings):
    settings.API_OPEN = "none"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Stands still, a quarter of a second into a minute, until a test moves it."""
    stopped = SimpleNamespace(now=6_000.25)
    reading = SimpleNamespace(time=lambda: stopped.now, monotonic=lambda: stopped.now)
    monkeypatch.setattr(throttling, "time", reading)
    return stopped


def statuses(answers) -> list[int]:
    return [answer.status_code for answer in answers]


def limits(answer) -> tuple[str | None, ...]:
    return tuple(answer.get(name) for name in ("RateLimit-Policy", "RateLimit", "Retry-After"))


def test_a_client_is_served_so_often_in_a_second_and_again_in_the_next(api, settings, clock):
    settings.RATE_LIMIT = 2
    headers = bearer(api, "catalog:read")

    first, second, third = (api.get(PRODUCTS, headers=headers) for _ in range(3))
    clock.now += 1
    fourth = api.get(PRODUCTS, headers=headers)

    assert statuses([first, second, third, fourth]) == [200, 200, 429, 200]
    assert limits(first) == ('"client";q=2;w=1', '"client";r=1;t=1', None)
    assert limits(second) == ('"client";q=2;w=1', '"client";r=0;t=1', None)
    assert limits(third) == ('"client";q=2;w=1', '"client";r=0;t=1', "1")
    assert (third["Content-Type"], third.json()["code"]) == ("application/problem+json", "throttled")


def test_a_refused_order_changed_nothing(api, settings):
    settings.RATE_LIMIT = 1
    lamp, headers = ProductFactory(), bearer(api, "orders:write")

    answers = [order(api, (lamp, 1), **headers) for _ in range(2)]

    assert statuses(answers) == [201, 429]
    assert (available(lamp), Order.objects.count()) == (9, 1)


def test_each_client_has_its_own_quota(api, settings):
    settings.RATE_LIMIT = 1
    till, web = bearer(api, "catalog:read"), bearer(api, "catalog:read", name="web")

    assert statuses(api.get(PRODUCTS, headers=headers) for headers in (till, till, web)) == [200, 429, 200]


@pytest.mark.parametrize(("own", "served"), [(None, 1), (3, 3), (0, 5)])
def test_staff_give_a_client_a_quota_of_its_own(api, staff, settings, own, served):
    settings.RATE_LIMIT = 1
    headers = bearer(api, "catalog:read")
    client = Client.objects.get()
    form = {
        "name": "till",
        "scopes": "catalog:read",
        "requests_per_second": "" if own is None else own,
        "is_active": "on",
    }

    assert staff.post(f"/admin/ecommerce/client/{client.pk}/change/", form).status_code == 302

    answers = [api.get(PRODUCTS, headers=headers) for _ in range(5)]
    assert statuses(answers) == [200] * served + [429] * (5 - served)
    assert ("RateLimit" in answers[0]) == (own != 0)


def test_staff_have_a_quota_of_the_shop(staff, settings):
    settings.RATE_LIMIT = 1

    assert statuses(staff.get(PRODUCTS) for _ in range(2)) == [200, 429]


def test_whom_the_operator_lets_in_has_none(api, settings):
    settings.API_OPEN, settings.RATE_LIMIT = "all", 1

    answers = [api.get(PRODUCTS) for _ in range(3)]

    assert statuses(answers) == [200] * 3
    assert limits(answers[0]) == (None, None, None)


def test_nothing_is_limited_or_told_where_the_limits_are_off(api, settings):
    settings.RATE_LIMIT = settings.ADDRESS_RATE_LIMIT = 0
    headers = bearer(api, "catalog:read")

    answers = [api.get(PRODUCTS, headers=headers), api.get(PRODUCTS), api.post(TOKEN), api.post(LOGIN)]

    assert statuses(answers) == [200, 401, 400, 200]
    assert {limits(answer) for answer in answers} == {(None, None, None)}


@pytest.mark.parametrize("stranger", [{}, {"Authorization": "Bearer nonsense"}])
def test_the_61st_refusal_of_an_address_in_a_minute_says_so(api, stranger):
    known = bearer(api, "catalog:read")

    answers = [api.get(PRODUCTS, headers=stranger) for _ in range(61)]

    assert statuses(answers) == [401] * 60 + [429]
    assert limits(answers[0]) == ('"address";q=60;w=60', '"address";r=59;t=60', None)
    assert limits(answers[60]) == ('"address";q=60;w=60', '"address";r=0;t=60', "60")
    assert answers[60].json()["code"] == "throttled"
    assert "WWW-Authenticate" not in answers[60]
    assert api.get(PRODUCTS, headers=known).status_code == 200


def test_token_calls_are_limited_together_and_still_of_no_use_with_the_right_secret(api, settings, clock):
    settings.ADDRESS_RATE_LIMIT = 2
    client = {"grant_type": "client_credentials"} | as_fields(*new_client("catalog:read"))

    guess, revoked = api.post(TOKEN, as_fields("x", "y")), api.post("/o/revoke_token", {"token": "x"} | client)
    refused = api.post("/o/token", client)
    clock.now += 60

    assert statuses([guess, revoked, refused, api.post(TOKEN, client)]) == [400, 200, 429, 200]
    assert limits(refused) == ('"address";q=2;w=60', '"address";r=0;t=60', "60")
    assert (refused["Content-Type"], refused.json()["code"]) == ("application/problem+json", "throttled")


def test_guessing_a_password_of_the_back_office_ends(client, db, settings, django_user_model):
    settings.ADDRESS_RATE_LIMIT = 2
    django_user_model.objects.create_superuser("mia", "mia@example.com", "a long password")

    answers = [client.post(LOGIN, {"username": "mia", "password": guess}) for guess in ("a", "b", "a long password")]

    assert statuses(answers) == [200, 200, 429]
    assert (answers[2]["Retry-After"], answers[2]["Content-Type"]) == ("60", "text/plain; charset=utf-8")
    assert "sessionid" not in client.cookies
    assert client.get(LOGIN).status_code == 200


def test_the_buckets_of_an_address_are_apart(api, settings):
    settings.ADDRESS_RATE_LIMIT = 1

    answers = [api.post(LOGIN), api.post(TOKEN), api.get(PRODUCTS), api.post(LOGIN), api.post(TOKEN), api.get(PRODUCTS)]

    assert statuses(answers) == [200, 400, 401, 429, 429, 429]


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "203.0.113.7", "10.0.0.1"),
        (1, None, "10.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7, 192.0.2.1", "203.0.113.7"),
        (2, "203.0.113.7", "10.0.0.1"),
        (1, "203.0.113.7, nonsense", "10.0.0.1"),
        (1, "203.0.113.7,", "10.0.0.1"),
        (1, " \x00 ", "10.0.0.1"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_an_address_is_what_our_own_proxies_saw(settings, proxies, header, address):
    settings.TRUST_PROXY = proxies
    sent = {"HTTP_X_FORWARDED_FOR": header} if header is not None else {}

    assert throttling.address_of(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", **sent)) == address


def test_behind_a_socket_there_may_be_no_address():
    assert throttling.address_of(RequestFactory().get("/", REMOTE_ADDR="")) == "unknown"


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_forged_header_does_not_help(api, settings, proxies):
    settings.ADDRESS_RATE_LIMIT, settings.TRUST_PROXY = 2, proxies

    answers = [api.get(PRODUCTS, headers={"X-Forwarded-For": f"198.51.100.{n}, 203.0.113.7"}) for n in range(3)]

    assert statuses(answers) == [401, 401, 429]


def test_the_memory_of_a_process_is_bounded(settings):
    for number in range(settings.IN_PROCESS["OPTIONS"]["MAX_ENTRIES"] + 100):
        throttling.count(f"address-strangers:{number}", keep=120)

    assert len(caches["in_process"]._cache) <= settings.IN_PROCESS["OPTIONS"]["MAX_ENTRIES"]


class Redis:
    """A server of this test's own, which keeps nothing."""

    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    def start(self) -> None:
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, **silent)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("redis-server does not answer")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis(settings, monkeypatch):
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed here")
    monkeypatch.setattr(throttling, "redis_is_away_until", 0.0)
    server = Redis()
    address = {"LOCATION": [f"redis://127.0.0.1:{server.port}/0"]}
    settings.CACHES = settings.CACHES | {"shared": settings.REDIS | address}
    [settings.CACHE_URL] = address["LOCATION"]
    yield server
    server.end()


def in_redis() -> list[bytes]:
    return caches["shared"]._cache.get_client().keys()


def guess_at_once(api, *, calls: int) -> int:
    """How many of these calls were let through."""
    outcomes = race([lambda: api.post(TOKEN, as_fields("x", "y")).status_code] * calls, threads=8)
    assert set(outcomes) <= {400, 429}
    return outcomes.count(400)


def test_no_call_too_many_passes_when_all_come_at_once(api, settings, redis):
    settings.ADDRESS_RATE_LIMIT = 20

    assert guess_at_once(api, calls=48) == 20
    assert in_redis() == [b":1:address-tokens:127.0.0.1:100"]


def test_too_many_pass_where_counting_is_not_atomic(api, settings, redis, monkeypatch):
    def read_then_write(cache, key, *, keep):
        used = caches[cache].get(key, 0) + 1
        time.sleep(0.02)
        caches[cache].set(key, used, timeout=keep)
        return used

    settings.ADDRESS_RATE_LIMIT = 20
    monkeypatch.setattr(throttling, "count_in", read_then_write)

    assert guess_at_once(api, calls=48) > 20


def test_without_redis_it_answers_counts_for_itself_and_says_so_once(api, settings, redis, clock, lines):
    settings.RATE_LIMIT = 2
    headers = bearer(api, "catalog:read")
    assert api.get(PRODUCTS, headers=headers)["RateLimit"] == '"client";r=1;t=1'

    redis.end()
    lines()
    answers = [api.get(PRODUCTS, headers=headers) for _ in range(3)]
    told = [line["event"] for line in lines() if line["event"] != "request"]

    assert (statuses(answers), told) == ([200, 200, 429], ["redis_away"])

    redis.start()
    clock.now += throttling.PAUSE_SECONDS
    assert api.get(PRODUCTS, headers=headers).status_code == 200
    assert len(in_redis()) == 1


def test_a_redis_that_hangs_delays_one_call_by_a_moment(api, settings, redis):
    headers = bearer(api, "catalog:read")
    redis.process.send_signal(signal.SIGSTOP)

    started = time.monotonic()
    answers = [api.get(PRODUCTS, headers=headers) for _ in range(3)]

    assert statuses(answers) == [200, 200, 200]
    assert time.monotonic() - started < 2


def test_no_key_tells_a_secret(api, redis):
    headers = bearer(api, "catalog:read")
    api.get(PRODUCTS, headers=headers)

    client = Client.objects.get()
    assert sorted(in_redis()) == [b":1:address-tokens:127.0.0.1:100", f":1:client:app:{client.client_id}:6000".encode()]
