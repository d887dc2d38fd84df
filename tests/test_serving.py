"""The web server's worker: who serves whom, what a slow request delays, and how it ends."""

import http.client
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from ecommerce import serving
from ecommerce.serving import PATIENCE, PAUSE, TIMES, LeaderFollowersWorker
from ecommerce.waiting import about_to_wait
from tests.environment import ROOT, clean_environment
from tests.serving import free_port

WORKER = "ecommerce.serving.LeaderFollowersWorker"
SLOW = 1.5  # seconds
SHORT = 0.03  # less than a leader is waited for


def who_answers(environ: dict, start_response: Callable) -> Iterable[bytes]:
    """An application that tells the process and the thread it runs in, at once or slowly."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(SLOW)
    if environ["PATH_INFO"] == "/waits":
        about_to_wait()
    if environ["PATH_INFO"] in ("/waits", "/works"):
        time.sleep(SHORT)
    answer = f"{os.getpid()} {threading.get_ident()}".encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


class Server:
    def __init__(self, *arguments: str) -> None:
        self.port = free_port()
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "--no-control-socket",
            "-k",
            WORKER,
            "-b",
            f"127.0.0.1:{self.port}",
        ]
        command += [*arguments, "tests.test_serving:who_answers"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stderr=subprocess.DEVNULL)

    def opened(self) -> http.client.HTTPConnection:
        for _ in range(100):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.connect()
                return connection
            except ConnectionError:
                time.sleep(0.1)
        raise AssertionError("the server did not start")


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(*arguments: str) -> Server:
        started.append(Server(*arguments))
        return started[-1]

    yield start
    for server in started:
        server.process.terminate()
        server.process.wait(timeout=20)


def asked(connection: http.client.HTTPConnection, path: str = "/") -> list[bytes]:
    """The process and the thread that answered."""
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.status == 200
    return response.read().split()


def test_both_processes_serve(start):
    server, answers = start("-w", "2", "--threads", "2"), set()
    for _ in range(200):
        answers.add(asked(server.opened())[0])
        if len(answers) == 2:
            return
        time.sleep(0.05)
    raise AssertionError("one process has answered all")


def test_one_thread_serves_what_is_quick(start):
    server = start("--threads", "4")
    connections = [server.opened() for _ in range(8)]
    with ThreadPoolExecutor(8) as clients:
        threads = [found[1] for _ in range(50) for found in clients.map(asked, connections)]
    changes = sum(one != other for one, other in pairwise(threads))
    assert changes < 40  # of 399; of four that are free, each next is another


@pytest.mark.parametrize(("threads", "delays"), [(2, False), (1, True)])
def test_what_is_slow_delays_nobody_while_there_are_threads(start, threads, delays):
    server = start("--threads", str(threads))
    slow, quick = server.opened(), server.opened()
    asked(slow), asked(quick)
    slow.request("GET", "/slow")
    time.sleep(PATIENCE)

    started = time.monotonic()
    asked(quick)

    assert (time.monotonic() - started > SLOW / 2) is delays
    assert slow.getresponse().read()
    assert asked(slow) == asked(quick)  # by whoever leads now


@pytest.mark.parametrize(("path", "meanwhile"), [("/waits", True), ("/works", False)])
def test_who_says_that_it_waits_lets_others_be_served_meanwhile(start, path, meanwhile):
    server, times = start("--threads", "4"), 5
    connections = [server.opened() for _ in range(4)]
    with ThreadPoolExecutor(4) as clients:
        list(clients.map(asked, connections))
        started = time.monotonic()
        for _ in range(times):
            list(clients.map(asked, connections, [path] * 4))
        took = time.monotonic() - started

    assert (took < 4 * times * SHORT * 0.8) is meanwhile


def test_all_that_is_slow_is_served_though_it_is_more_than_the_threads(start):
    server = start("--threads", "2")
    connections = [server.opened() for _ in range(4)]
    started = time.monotonic()
    with ThreadPoolExecutor(4) as clients:
        threads = [found[1] for found in clients.map(lambda connection: asked(connection, "/slow"), connections)]
    assert len(set(threads)) == 2
    assert time.monotonic() - started < 3 * SLOW


def test_a_connection_that_says_nothing_keeps_no_thread(start):
    server = start("--threads", "1")
    with socket.create_connection(("127.0.0.1", server.opened().port)):
        started = time.monotonic()
        asked(server.opened())
    assert time.monotonic() - started < 1


def test_requests_that_come_at_once_are_answered_one_by_one(start):
    connection, many = start("--threads", "2").opened().sock, 2_000
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with ThreadPoolExecutor(1) as sender:
        sender.submit(connection.sendall, request * many)
        received = b""
        while received.count(b"200 OK") < many:
            received += (found := connection.recv(65_536))
            assert found


def test_who_is_being_served_is_answered_before_the_server_ends(start):
    server = start("--threads", "2")
    slow, kept = server.opened(), server.opened()
    asked(kept)
    slow.request("GET", "/slow")
    time.sleep(0.3)

    server.process.send_signal(signal.SIGTERM)

    assert slow.getresponse().read()
    assert server.process.wait(timeout=10) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


def test_the_server_ends_at_once_where_that_is_asked(start):
    server = start("--threads", "2")
    server.opened().request("GET", "/slow")
    time.sleep(0.3)
    started = time.monotonic()

    server.process.send_signal(signal.SIGQUIT)

    server.process.wait(timeout=10)
    assert time.monotonic() - started < SLOW - 0.3


def test_a_process_that_has_served_its_share_is_replaced_and_no_request_lost(start):
    server, processes = start("--threads", "2", "--max-requests", "20"), set()
    connection = server.opened()
    for _ in range(100):
        process, _ = asked(connection)  # http.client connects anew where the server said that it closes
        processes.add(process)
    assert len(processes) == 5


@pytest.fixture
def worker(monkeypatch) -> LeaderFollowersWorker:
    """One that serves nobody: its clock and its connections are the test's."""
    worker = LeaderFollowersWorker(0, os.getppid(), [], None, 30, Config(), None)
    worker.now = 100.0
    worker.set_accept_enabled = lambda enabled: setattr(worker, "accepts", enabled)
    worker.wait_for_and_dispatch_events = lambda timeout: setattr(worker, "waited", timeout)
    monkeypatch.setattr("ecommerce.serving.time.monotonic", lambda: worker.now)
    yield worker
    worker.tmp.close()


@pytest.fixture
def listener(worker, monkeypatch):
    """Where a connection waits for the worker, which is one of several."""
    worker.poller = SimpleNamespace(register=lambda *arguments: None)
    monkeypatch.setattr("ecommerce.serving.loads", [0] * 64)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        yield listener


@pytest.mark.parametrize(("has", "others", "takes"), [(3, [], True), (3, [3, 7], True), (3, [7, 2], False)])
def test_a_connection_is_left_to_a_process_that_has_fewer(worker, listener, has, others, takes):
    worker.nr_conns = has
    for place, load in enumerate(others, 1):
        serving.loads[place] = load + 1

    worker.lead(worker.term)
    worker.accept(listener)

    assert (worker.nr_conns == has + 1) is takes
    assert serving.loads[0] == has + 1
    worker.lead(worker.term)
    assert (worker.accepts, worker.waited) == ((True, 1.0) if takes else (False, pytest.approx(PAUSE)))


def test_but_not_for_long_since_that_may_be_stuck(worker, listener):
    worker.nr_conns, serving.loads[1] = 1, 1
    for _ in range(TIMES):
        worker.accept(listener)
        assert worker.nr_conns == 1

    worker.accept(listener)

    assert worker.nr_conns == 2


def test_a_process_that_ends_or_was_ended_has_no_connections(worker, monkeypatch):
    monkeypatch.setattr("ecommerce.serving.loads", [9] * 64)
    worker.alive = False
    worker.lead(worker.term)
    assert serving.loads[:2] == [0, 9]

    serving.loads[0] = 9
    runpy.run_path(str(ROOT / "deploy/gunicorn.py"))["child_exit"](None, worker)
    assert serving.loads[:2] == [0, 9]


def test_connections_that_stay_open_are_spread_evenly(start):
    server = start("-w", "2", "--threads", "1")
    while len({asked(server.opened())[0] for _ in range(20)}) < 2:
        time.sleep(0.05)
    time.sleep(0.2)  # those are closed

    connections = [server.opened() for _ in range(10)]
    answers = Counter(asked(connection)[0] for connection in connections)

    assert set(answers.values()) == {5}


def test_a_process_in_which_a_thread_fails_ends(worker):
    worker.threads = [threading.Thread()]
    with pytest.raises(RuntimeError, match="A thread has failed"):
        worker.keep_time()


def test_the_server_is_run_with_this_worker():
    assert f'worker_class = "{WORKER}"' in (ROOT / "deploy/gunicorn.py").read_text()
