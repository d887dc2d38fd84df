from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from catalog.models import Product
from catalog.services import Cause, create_product

DEMO = [
    ("LAMP-BRASS", "Reading lamp", "Warm light, brass foot.", "79.00", 25),
    ("INK-BLUE", "Ink, blue", "50 ml, dries fast, washes out.", "9.50", 120),
    ("PEN-F", "Fountain pen, fine", "Steel nib, takes every ink.", "34.90", 60),
    ("NOTE-A5", "Notebook A5", "192 dotted pages, lies flat.", "14.25", 200),
    ("DESK-OAK", "Oak desk", "140 x 70 cm, oiled.", "649.00", 4),
    ("CHAIR-ASH", "Ash chair", "Stacks, carries 150 kg.", "189.00", 12),
    ("CLOCK-W", "Wall clock", "Silent, 30 cm.", "45.00", 18),
    ("RULER-30", "Steel ruler", "30 cm, etched on both sides.", "6.75", 90),
    ("CLIP-100", "Paper clips", "A box of one hundred.", "2.99", 500),
    ("MAP-OLD", "World map, 1794", "A print of the last copy. There is one.", "240.00", 1),
]


class Command(BaseCommand):
    help = "Put a small catalogue into an empty shop."

    def handle(self, **options: Any) -> None:
        if Product.objects.exists():
            return
        with transaction.atomic():
            for sku, name, description, price, stock in DEMO:
                create_product(
                    sku=sku,
                    name=name,
                    description=description,
                    price=Decimal(price),
                    stock=stock,
                    cause=Cause(done_by="command:load_demo"),
                )
        self.stdout.write(f"The shop was empty: {len(DEMO)} products to try things on are in it now.")
