from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from orders.books import INVARIANTS
from orders.moving_in.moving import BooksDoNotBalance, Moved, ShopNotEmpty, move_in
from orders.moving_in.source import SourceError, opened
from orders.moving_in.survey import Refused

SHOWN = 20


class Command(BaseCommand):
    help = "Move in: copy products, orders and items of the classic application into an empty shop, ids kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="source", required=True, help="postgresql://... of the classic application")
        parser.add_argument("--dry-run", action="store_true", help="do everything, report it, and take it back")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with opened(options["source"]) as source:
                moved = move_in(source, dry_run=options["dry_run"])
        except SourceError as error:
            raise CommandError(str(error)) from error
        except Refused as error:
            self.name(error.faults)
            raise CommandError(f"Nothing was imported: {error}.") from error
        except ShopNotEmpty as error:
            raise CommandError(f"Nothing was imported: the shop is not empty, and {error} differs there.") from error
        except BooksDoNotBalance as error:
            self.name(error.faults)
            raise CommandError(f"Nothing was imported: the books would not balance, {error}.") from error
        except DatabaseError as error:
            reason = str(error).strip().partition("\n")[0]
            raise CommandError(f"Nothing was imported: the shop's database refused. {reason}") from error
        self.report(moved, dry_run=options["dry_run"])

    def name(self, faults: Sequence[object]) -> None:
        for fault in faults[:SHOWN]:
            self.stderr.write(str(fault))
        if len(faults) > SHOWN:
            self.stderr.write(f"... and {len(faults) - SHOWN:,} more")

    def report(self, moved: Moved, *, dry_run: bool) -> None:
        survey = moved.survey
        counts = f"{len(survey.stock):,} products, {survey.orders:,} orders, {survey.lines:,} lines"
        if moved.was_there:
            self.stdout.write(f"Nothing to do: the shop already holds the source's {counts}.")
            return
        for difference in survey.findings.differences:
            self.stdout.write(difference)
        self.stdout.write(f"Imported: {counts}. Differences: {len(survey.findings.differences):,}, all listed above.")
        self.stdout.write(self.style.SUCCESS(f"The books balance: {len(INVARIANTS)} invariants hold."))
        if dry_run:
            self.stdout.write("This was a dry run: nothing was changed.")
