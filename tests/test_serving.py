"""Connections that clients keep open are spread over the workers of the server."""

import http.client
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest

from tests.environment import ROOT, clean_environment
from tests.serving import free_port

CLIENTS = 16
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


def test_a_burst_of_connections_is_shared_by_the_workers(port):
    opened(port).getresponse().read()
    time.sleep(0.5)  # for the other worker to start

    burst = [opened(port) for _ in range(CLIENTS)]

    answers = Counter(connection.getresponse().read() for connection in burst)
    assert len(answers) == 2
    assert min(answers.values()) >= CLIENTS // 4
