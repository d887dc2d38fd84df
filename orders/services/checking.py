"""Checks of the books that are kept: staff ask for one, a worker does it, and the dashboard shows what came out."""

import dataclasses
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from orders.books import Fault, check_books
from orders.models import BooksCheck

KEPT_FAULTS = 200
LOST_AFTER = timedelta(hours=1)


def ask_for_check(*, done_by: str) -> BooksCheck:
    """A worker will do it within seconds. One that waits already will do."""
    return BooksCheck.objects.filter(started_at=None).first() or BooksCheck.objects.create(asked_by=done_by)


def run_check(*, done_by: str) -> list[Fault]:
    """Check the books now, and keep what came out."""
    return finish(BooksCheck.objects.create(asked_by=done_by, started_at=Now()))


def run_checks_asked_for() -> list[Fault]:
    """Of any number of workers, one does each; that of a worker that died is done anew."""
    found: list[Fault] = []
    open_ones = Q(started_at=None) | Q(finished_at=None, started_at__lt=Now() - LOST_AFTER)
    for check in BooksCheck.objects.filter(open_ones).order_by("pk"):
        if BooksCheck.objects.filter(open_ones, pk=check.pk).update(started_at=Now()):
            found += finish(check)
    return found


def finish(check: BooksCheck) -> list[Fault]:
    faults = check_books()
    kept = [dataclasses.asdict(fault) for fault in faults[:KEPT_FAULTS]]
    BooksCheck.objects.filter(pk=check.pk).update(finished_at=Now(), fault_count=len(faults), faults=kept)
    return faults
