from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from orders.demo.filling import OrdersThere, fill

MOST = {"products": 1_000_000, "orders": 20_000_000, "days": 3_650}


class Command(BaseCommand):
    help = (
        "Fill a developer's shop, so far without orders, with products and with orders of the past; the books balance."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--products", type=int, default=1_000, help="%(default)s")
        parser.add_argument("--orders", type=int, default=10_000, help="of two to three lines each; %(default)s")
        parser.add_argument("--days", type=int, default=365, help="spread over so many days up to now; %(default)s")

    def handle(self, *, products: int, orders: int, days: int, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError("This makes up orders, so it runs with LOCAL=1 only.")
        for name, number in {"products": products, "orders": orders, "days": days}.items():
            if not 1 <= number <= MOST[name]:
                raise CommandError(f"--{name} must be from 1 to {MOST[name]:,}.")
        try:
            with tqdm(total=orders, unit="order", disable=None) as bar:
                fill(products=products, orders=orders, days=days, told=bar.update)
        except OrdersThere:
            raise CommandError("There are orders in this shop, so nothing was added.") from None
        self.stdout.write(f"{products:,} products and {orders:,} orders of {days:,} days are in the shop now.")
