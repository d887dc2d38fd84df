"""What a thread does before it waits for another machine: the web server's worker has somebody else serve meanwhile."""

from collections.abc import Callable

before_waiting: list[Callable[[], None]] = []


def about_to_wait() -> None:
    for action in before_waiting:
        action()
