"""Sell a file of baskets over HTTP, by many clients at once, and prove from the answers that the books balance."""

import csv
import logging
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from math import ceil
from multiprocessing.pool import ThreadPool
from pathlib import Path
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from orders.replay.answers import Answer
from orders.replay.baskets import draw_offers, read_baskets
from orders.replay.proof import Proof
from orders.replay.shop import Shop, ShopError

SHOWN = 20


class Command(BaseCommand):
    help = "Sell a file of baskets over HTTP, by many clients at once, and prove that every unit is accounted for."
    # It speaks to a shop over HTTP only, and so may run where none is configured.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV in UTF-8: a basket per line, the names of its items")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the shop is (%(default)s)")
        parser.add_argument("--clients", type=int, default=8, help="customers at the same time, 1 to 64 (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        # urllib3 warns of each retry; the summary counts them.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        baskets = baskets_in(options["file"])
        shop = shop_at(options["url"], clients=options["clients"])
        try:
            self.replay(baskets, shop=shop, clients=options["clients"])
        except ShopError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was ordered stays ordered; nothing was proved.", returncode=130) from None

    def replay(self, baskets: Sequence[Counter[str]], *, shop: Shop, clients: int) -> None:
        offers = {shop.put_on_sale(offer): offer for offer in tqdm(draw_offers(baskets), unit="product", disable=None)}
        numbers = {offer.name: number for number, offer in offers.items()}
        asked = [{numbers[name]: quantity for name, quantity in basket.items()} for basket in baskets]
        started = perf_counter()
        # Its threads are daemons, so that an interrupt waits for no answer.
        with ThreadPool(clients) as pool:
            answers = list(tqdm(pool.imap_unordered(shop.place, asked), total=len(asked), unit="basket", disable=None))
        self.stdout.write(summary(answers, seconds=perf_counter() - started))
        self.prove(Proof(offers=offers, answers=answers, stock_now=shop.stock_of(offers)))

    def prove(self, proof: Proof) -> None:
        """Tell whether the books balance; end with an error if they do not, or if an answer was unexpected."""
        discrepancies = list(proof.discrepancies())
        for discrepancy in discrepancies[:SHOWN]:
            self.stdout.write(discrepancy)
        if discrepancies:
            raise CommandError(f"The books do not balance. Discrepancies: {len(discrepancies):,}.")
        units, orders = proof.units_ordered.total(), len(proof.placed)
        self.stdout.write(f"Books balance: {units:,} units taken = {units:,} units ordered, in {orders:,} orders.")
        if unexpected := sum(answer.is_unexpected for answer in proof.answers):
            raise CommandError(f"Unexpected answers: {unexpected:,}.")


def baskets_in(path: Path) -> list[Counter[str]]:
    try:
        baskets = read_baskets(path)
    except OSError as error:
        raise CommandError(f"Cannot read {path}: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} is not CSV in UTF-8: {error}.") from error
    if not baskets:
        raise CommandError(f"{path} holds no basket.")
    return baskets


def shop_at(url: str, *, clients: int) -> Shop:
    if not 1 <= clients <= 64:
        raise CommandError(f"--clients must be 1 to 64, not {clients}.")
    with suppress(LocationParseError):
        address = parse_url(url)
        if address.scheme in ("http", "https") and address.host:
            return Shop(url.rstrip("/"), clients=clients)
    raise CommandError(f"--url must be like http://127.0.0.1:8000, not {url!r}.")


def summary(answers: Sequence[Answer], *, seconds: float) -> str:
    placed = sum(answer.receipt is not None for answer in answers)
    times = sorted(1000 * answer.seconds for answer in answers)
    replays = sum(answer.is_replay for answer in answers)
    return "\n".join(
        [
            f"Placed: {placed:,} of {len(answers):,} baskets in {seconds:.1f} s, {placed / seconds:,.0f} a second",
            *(f"Refused: {kind}" for kind in tally(answer for answer in answers if answer.is_refusal)),
            *(f"Unexpected: {kind}" for kind in tally(answer for answer in answers if answer.is_unexpected)),
            f"Retries: {sum(answer.retries for answer in answers):,}, {replays:,} found the order already placed",
            f"Answer times, retries included: p50 {percentile(times, 50):.0f} ms, p99 {percentile(times, 99):.0f} ms",
        ]
    )


def tally(answers: Iterable[Answer]) -> list[str]:
    """How often each status and code came, with the detail of one as an example."""
    details_by_kind: dict[str, list[str]] = {}
    for answer in answers:
        details_by_kind.setdefault(f"{answer.status or 'no answer'} {answer.code}".strip(), []).append(answer.detail)
    return [f"{len(details):,} x {kind}, e.g. {details[0]}" for kind, details in details_by_kind.items()]


def percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[ceil(len(ordered) * percent / 100) - 1]
