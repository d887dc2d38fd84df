"""How a process of the web server divides its time: gunicorn's threads, as leader and followers.

The thread that hears of a request, the leader, serves it too, while the others wait. So no request changes threads, and
Python, which runs one thread of a process at a time, does not part its time between orders of which some hold locks.
Where a request takes long, or waits for a database on another machine, a follower is promoted, and nobody waits behind
it. D. Schmidt et al., "Leader/Followers: A Design Pattern for Efficient Multi-threaded Event Demultiplexing and
Dispatching", 2000.
"""

import mmap
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gunicorn import glogging
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from ecommerce.waiting import before_waiting

PATIENCE = 0.05  # seconds; after once to twice as many another thread hears of what comes next
PAUSE = 0.001  # before a connection that was left to another process is looked at again
TIMES = 10  # that one is left, since the other process may be stuck
# The connections of each process of a server, and one more; 0 where there is no process. All of them share it.
loads = memoryview(mmap.mmap(-1, 64 * 4)).cast("i")


@dataclass
class Done:
    """What gunicorn asks of a future, of a request that was served already."""

    served: Any

    def cancelled(self) -> bool:
        return False

    def result(self) -> Any:
        return self.served


class LeaderFollowersWorker(ThreadWorker):
    """gunicorn's `gthread`, whose loop is run by one of its threads at a time.

    And it leaves a connection to a process that has fewer. gunicorn's own takes whatever comes: of those that clients
    keep open, the first process to wake up gets the most, and from then on serves them alone while the others have
    nothing to do.
    """

    alive: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ready: deque[TConn] = deque()  # connections with a request to be read
        self.accepts_from = 0.0  # by time.monotonic()
        self.left = 0  # to another process, in a row
        self.leadership = threading.Semaphore()
        self.term = 0  # of the leader; whoever finds another than its own leads no more
        self.serving_since: float | None = None  # for the leader
        self.changing_leader = threading.Lock()
        self.own = threading.local()  # the last term in which this thread has led

    def init_process(self) -> None:
        # As plain attributes: gunicorn looks for a setting each time, some twenty times for a request.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        before_waiting.append(self.let_another_serve)
        super().init_process()

    def run(self) -> None:
        """The main thread serves nobody: it keeps the time, and hears what the arbiter wants."""
        self.poller.register(self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks)
        self.threads = [threading.Thread(target=self.follow, daemon=True) for _ in range(self.cfg.threads)]
        for thread in self.threads:
            thread.start()
        while self.alive and self.is_parent_alive():
            self.keep_time()
        self.alive = False
        self.leave()
        now = time.monotonic()
        self.method_queue.defer(self._cap_keepalive, now + STOP_KEEPALIVE_LINGER)
        while self.nr_conns > 0 and time.monotonic() < now + self.cfg.graceful_timeout:
            self.keep_time()

    def keep_time(self) -> None:
        self.notify()
        time.sleep(PATIENCE)
        if not all(thread.is_alive() for thread in self.threads):
            raise RuntimeError("A thread has failed, so this process ends, and another takes its place.")
        self.promote_where_late()

    def promote_where_late(self) -> None:
        self.promote_if(lambda: self.serving_since is not None and time.monotonic() - self.serving_since >= PATIENCE)

    def let_another_serve(self) -> None:
        """For the leader, who is about to wait and has nothing to do meanwhile."""
        self.promote_if(lambda: getattr(self.own, "term", None) == self.term)

    def promote_if(self, condition: Callable[[], bool]) -> None:
        with self.changing_leader:
            promotes = condition()
            if promotes:
                self.term += 1
                self.serving_since = None
        if promotes:
            self.leadership.release()

    def follow(self) -> None:
        while True:
            self.leadership.acquire()
            term = self.own.term = self.term
            while self.term == term:
                self.lead(term)

    def lead(self, term: int) -> None:
        """One round of gunicorn's loop, and at most one request."""
        loads[self.age % len(loads)] = self.nr_conns + 1 if self.alive else 0
        pause = self.accepts_from - time.monotonic()
        self.set_accept_enabled(self.alive and pause <= 0 and self.nr_conns < self.worker_connections)
        if self.ready:
            wait = 0.0
        elif self.alive:
            wait = pause if pause > 0 else 1.0
        else:
            wait = PATIENCE
        self.wait_for_and_dispatch_events(wait)
        self.murder_keepalived()
        self.murder_pending()
        if self.ready:
            self.serve(self.ready.popleft(), term)

    def serve(self, conn: TConn, term: int) -> None:
        self.serving_since = time.monotonic()
        done = Done(self.handle(conn))
        with self.changing_leader:
            still_leads = self.term == term
            if still_leads:
                self.serving_since = None
        if still_leads:
            self.finish_request(conn, done)
        else:
            self.method_queue.defer(self.finish_request, conn, done)

    def enqueue_req(self, conn: TConn) -> None:
        self.ready.append(conn)

    def accept(self, listener: Any) -> None:
        """Hear of the connection again when it has something to say: gunicorn's keeps a thread until then."""
        if self.leaves_it_to_another():
            self.accepts_from = time.monotonic() + PAUSE
            return
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another process was faster, or the client left
            return
        self.nr_conns += 1
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.set_timeout()
        self.pending_conns.append(conn)
        self.poller.register(client, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def leaves_it_to_another(self) -> bool:
        leaves = self.left < TIMES and any(0 < load <= self.nr_conns for load in loads)
        self.left = self.left + 1 if leaves else 0
        return leaves

    def leave(self) -> None:
        """Of a process that is at its end, or was ended."""
        loads[self.age % len(loads)] = 0

    def handle_quit(self, sig: Any, frame: Any) -> None:
        """End at once, and the threads with the process."""
        super(ThreadWorker, self).handle_quit(sig, frame)


class Logger(glogging.Logger):
    """gunicorn's, which does not make up a line for each request that nobody writes: ecommerce.logging has one."""

    access_log_enabled = False
