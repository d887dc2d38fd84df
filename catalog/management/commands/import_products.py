from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from catalog.importing.errors import WrongFile
from catalog.importing.limits import MAX_BYTES
from catalog.importing.previewing import preview
from catalog.models import ImportRow, ProductImport
from catalog.services import apply_import, discard_preview
from ecommerce.errors import DomainError

DONE_BY = "command:import_products"
SHOWN = 50
Kind = ImportRow.Kind


class Command(BaseCommand):
    help = "Import a CSV or XLSX file of products, Shopify's export or a counted inventory: the header tells which."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="tell what would change, and change nothing")
        parser.add_argument("--good-rows-only", action="store_true", help="leave rows with errors out")

    def handle(self, *args: Any, **options: Any) -> None:
        self.progress("Reading the file, and comparing it with the shop ...")
        try:
            product_import = preview(options["file"].name, self.bytes_of(options["file"]), done_by=DONE_BY)
            self.tell(product_import)
            done = self.done(product_import, **{name: options[name] for name in ("dry_run", "good_rows_only")})
        except (WrongFile, DomainError) as refusal:
            raise CommandError(str(refusal)) from refusal
        except DatabaseError as error:
            reason = str(error).strip().partition("\n")[0]
            raise CommandError(f"Nothing was imported: the database refused. {reason}") from error
        self.stdout.write(self.style.SUCCESS(done))

    def progress(self, step: str) -> None:
        """For who watches; a log has no use for it."""
        if self.stderr.isatty():
            self.stderr.write(step, self.style.NOTICE)

    def bytes_of(self, path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error

    def tell(self, product_import: ProductImport) -> None:
        read_as = {"Format": product_import.get_format_display(), **product_import.read_as}
        self.stdout.write("; ".join(f"{name}: {value}" for name, value in read_as.items()))
        self.stdout.write(", ".join(f"{kind} {product_import.counts[kind]:,}" for kind in Kind.values))
        refused = product_import.rows.filter(kind=Kind.REFUSED).order_by("line")
        for row in refused[:SHOWN]:
            self.stderr.write(f"Line {row.line}: {row.message}")
        if (more := product_import.counts[Kind.REFUSED] - SHOWN) > 0:
            self.stderr.write(f"... and {more:,} more")

    def done(self, product_import: ProductImport, *, dry_run: bool, good_rows_only: bool) -> str:
        counts = product_import.counts
        refused = counts[Kind.REFUSED] and not good_rows_only
        changes = sum(counts[kind] for kind in (Kind.CREATED, Kind.UPDATED, Kind.COUNTED))
        if dry_run or refused or not changes:
            discard_preview(product_import.pk)
        if refused:
            raise CommandError(f"Nothing was imported: {counts[Kind.REFUSED]:,} rows have errors.")
        if not changes:
            return "Nothing to do: the shop is as the file says."
        if dry_run:
            return "This was a dry run: nothing was changed."
        self.progress(f"Writing {changes:,} products ...")
        apply_import(product_import.pk, done_by=DONE_BY, good_rows_only=good_rows_only)
        return f"Imported: {changes:,} products. Import {product_import.pk} in the back office takes it back."
