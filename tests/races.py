"""Things that happen at the same time: each in a thread and on a connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection


def race(actions: list[Callable[[], Any]], *, threads: int | None = None) -> list[Any]:
    """What each action returned, or the exception that it raised. All threads start behind one barrier."""
    threads = threads or len(actions)
    barrier = threading.Barrier(threads)

    def run(share: list[Callable[[], Any]]) -> list[Any]:
        barrier.wait(timeout=10)
        try:
            return [outcome_of(action) for action in share]
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        shares = [actions[number::threads] for number in range(threads)]
        return [outcome for outcomes in pool.map(run, shares) for outcome in outcomes]


def outcome_of(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except Exception as error:
        return error


class Pause:
    """Stops the thread that first sends a statement with this text, until it is let go."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.reached = threading.Event()
        self.let_go = threading.Event()

    @contextmanager
    def on_this_connection(self):
        with connection.execute_wrapper(self.before):
            yield

    def before(self, execute, sql, params, many, context):
        if self.text in sql:
            self.reached.set()
            assert self.let_go.wait(timeout=10)
        return execute(sql, params, many, context)


def in_thread(action: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    outcomes: list[Any] = []

    def run() -> None:
        outcomes.append(outcome_of(action))
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcomes
