import signal
import threading
from argparse import ArgumentParser
from datetime import date, timedelta
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone
from oauth2_provider.models import clear_expired

from ecommerce.database import FAULTS, is_database_fault, name_of
from orders.books import Fault
from orders.services import count_days, expire_holds, run_check, run_checks_asked_for

log = structlog.get_logger(__name__)

SECONDS_BETWEEN_ROUNDS = 5
SECONDS_BETWEEN_COUNTS = 60
NIGHT_HOUR = 3


class Command(BaseCommand):
    help = (
        "Do what nobody asks for: expire holds, count the days that are over; at night check the books and clear old "
        "tokens. And checks of the books that somebody asked for. Any number may run."
    )

    next_count = 0.0

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, the night's work included, and stop")

    def handle(self, *, once: bool, **options: Any) -> None:
        if once:
            self.sweep()
            self.work_of_the_day()
            self.work_of_the_night()
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        log.info("worker_started")
        self.last_night = last_night()
        while not stop.wait(SECONDS_BETWEEN_ROUNDS):
            self.round()
        log.info("worker_stopped")

    def round(self) -> None:
        """A database that is away is looked for again in the next round."""
        try:
            self.sweep()
            self.work_of_the_day()
            if self.last_night != last_night():
                self.work_of_the_night()
                self.last_night = last_night()
        except FAULTS as error:
            if not is_database_fault(error):
                raise
            log.warning("database_fault", error=name_of(error))
            connection.close()

    def sweep(self) -> None:
        while expire_holds(done_by="command:work"):
            pass

    def work_of_the_day(self) -> None:
        tell(run_checks_asked_for())
        if monotonic() >= self.next_count:
            count_days()
            self.next_count = monotonic() + SECONDS_BETWEEN_COUNTS

    def work_of_the_night(self) -> None:
        faults = run_check(done_by="command:work")
        tell(faults)
        log.info("books_checked", faults=len(faults))
        clear_expired()
        SessionStore.clear_expired()


def tell(faults: list[Fault]) -> None:
    for fault in faults:
        log.error("books_fault", invariant=fault.invariant, what=fault.what, detail=fault.detail)


def last_night() -> date:
    """The day on which the work of the night was last due, by the shop's clock."""
    with timezone.override(settings.SHOP_TIME_ZONE):
        now = timezone.localtime()
        return (now - timedelta(hours=NIGHT_HOUR)).date()
