import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

PAUSE = 0.0001  # for each connection that is open
LONGEST_PAUSE = 0.001  # so that many which only lie open delay nobody


class SpreadingWorker(ThreadWorker):
    """gunicorn's `gthread`, which waits a little before it takes another connection, the longer the more it has.

    gunicorn's own takes whatever comes: of connections that clients keep open, the first of the workers to wake up gets
    the most, and from then on serves them alone while the others have nothing to do.
    """

    accepts_from = 0.0  # by time.monotonic()

    def accept(self, listener: Any) -> None:
        had = self.nr_conns
        super().accept(listener)
        if self.nr_conns > had:  # else another was faster
            self.accepts_from = time.monotonic() + min(self.nr_conns * PAUSE, LONGEST_PAUSE)

    @property
    def worker_connections(self) -> int:
        """How many it may hold now; the loop asks before it looks for new ones."""
        return self.limit if time.monotonic() >= self.accepts_from else 0

    @worker_connections.setter
    def worker_connections(self, limit: int) -> None:
        self.limit = limit

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        pause = self.accepts_from - time.monotonic()
        super().wait_for_and_dispatch_events(pause if 0 < pause < timeout else timeout)

    def handle_quit(self, sig: Any, frame: Any) -> None:
        """End at once, and the threads with the process. gunicorn's shuts them down here, under a lock that it may hold
        at this very moment, since a signal interrupts it anywhere; then it waits for itself until it is killed."""
        super(ThreadWorker, self).handle_quit(sig, frame)
