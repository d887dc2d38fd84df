"""Connections that clients keep open are spread over the workers of the server."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker

from ecommerce.serving import LONGEST_PAUSE, PAUSE, SpreadingWorker
from tests.environment import ROOT, clean_environment
from tests.serving import free_port

WORKER = "ecommerce.serving.SpreadingWorker"


def who_answers(environ: dict, start_response: Callable) -> Iterable[bytes]:
    """An application that tells which process it runs in."""
    start_response("200 OK", [("Content-Length", str(len(str(os.getpid()))))])
    return [str(os.getpid()).encode()]


@pytest.fixture
def port() -> Iterator[int]:
    port = free_port()
    arguments = ["--no-control-socket", "-k", WORKER, "-w", "2", "--threads", "2", "-b", f"127.0.0.1:{port}"]
    command = [sys.executable, "-m", "gunicorn", *arguments, "tests.test_serving:who_answers"]
    with subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stderr=subprocess.DEVNULL) as server:
        yield port
        server.terminate()


def opened(port: int) -> http.client.HTTPConnection:
    for _ in range(100):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/")
            return connection
        except ConnectionError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def test_both_workers_serve(port):
    answers = set()
    for _ in range(200):
        answers.add(opened(port).getresponse().read())
        if len(answers) == 2:
            return
        time.sleep(0.05)
    raise AssertionError("one worker has answered all")


@pytest.fixture
def worker(monkeypatch) -> SpreadingWorker:
    """One that serves nobody: its clock and its connections are the test's."""
    worker = object.__new__(SpreadingWorker)
    worker.nr_conns, worker.worker_connections, worker.now, worker.waited = 0, 1000, 100.0, []
    monkeypatch.setattr("ecommerce.serving.time.monotonic", lambda: worker.now)
    monkeypatch.setattr(ThreadWorker, "accept", lambda self, listener: setattr(self, "nr_conns", self.nr_conns + 1))
    monkeypatch.setattr(ThreadWorker, "wait_for_and_dispatch_events", lambda self, timeout: self.waited.append(timeout))
    return worker


@pytest.mark.parametrize(("has", "pause"), [(0, PAUSE), (9, 10 * PAUSE), (900, LONGEST_PAUSE)])
def test_the_more_connections_a_worker_has_the_later_it_takes_another(worker, has, pause):
    worker.nr_conns = has
    assert worker.worker_connections == 1000

    worker.accept(None)

    assert worker.worker_connections == 0
    worker.wait_for_and_dispatch_events(timeout=1.0)
    worker.now += pause
    assert worker.worker_connections == 1000
    worker.wait_for_and_dispatch_events(timeout=1.0)
    assert worker.waited == [pytest.approx(pause), 1.0]


def test_a_worker_ends_at_once_also_while_it_hands_a_request_to_its_threads(worker):
    worker.tpool, worker.cfg = ThreadPoolExecutor(), Config()

    with worker.tpool._shutdown_lock, pytest.raises(SystemExit):
        worker.handle_quit(None, None)

    assert not worker.alive


def test_the_server_is_run_with_this_worker():
    assert f'worker_class = "{WORKER}"' in (ROOT / "deploy/gunicorn.py").read_text()
