from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.books import INVARIANTS
from orders.services import run_check


class Command(BaseCommand):
    help = "Prove that the books balance: stock, ledger and orders say the same. Exits 1 and names each row if not."

    def handle(self, **options: Any) -> None:
        faults = run_check(done_by="command:check_books")
        for fault in faults:
            self.stderr.write(str(fault))
        if faults:
            raise CommandError(f"The books do not balance: {len(faults)} rows break an invariant.")
        self.stdout.write(self.style.SUCCESS(f"The books balance: {len(INVARIANTS)} invariants hold."))
