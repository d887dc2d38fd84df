from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ecommerce.clients import create_client
from ecommerce.models import Client

MAX_RATE = 1_000_000


def rate(text: str) -> int:
    if not 0 <= int(text) <= MAX_RATE:
        raise ValueError
    return int(text)


class Command(BaseCommand):
    help = "Make an API client and print its id and its secret, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="for people; no two clients share one")
        parser.add_argument("--scopes", nargs="+", required=True, choices=list(settings.SCOPES), metavar="SCOPE")
        parser.add_argument("--rate", type=rate, help="requests a second; 0: no limit; left out: RATE_LIMIT")

    def handle(self, *, name: str, scopes: list[str], rate: int | None, **options: Any) -> None:
        if Client.objects.filter(name=name).exists():
            raise CommandError("There is a client of this name.")
        client, secret = create_client(name=name, scopes=scopes, requests_per_second=rate)
        self.stdout.write(f"client_id      {client.client_id}\nclient_secret  {secret}")
