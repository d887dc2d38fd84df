"""`make bench-growth`: what an order and the pages of lists cost as a shop grows, to ten million lines of orders.

One shop for each size, each with a server of its own; every round asks all of them, in turns.
"""

import argparse
import random
import sys
import tempfile
from base64 import urlsafe_b64encode
from collections import defaultdict
from contextlib import ExitStack
from json import dumps
from pathlib import Path
from statistics import median
from typing import Any

from bench.__main__ import Bench, Work
from bench.processor import postmaster
from bench.sides import SERVER, Ours, drop_database, faults_in

ORDERS = [4_000, 400_000, 4_000_000]  # of two to three lines each
PRODUCTS = ("/api/v1/products/?page_size=100", "/api/v1/products/?page_size=100&ordering=-price&in_stock=true")


def works(last: int) -> dict[str, Work]:
    places = [urlsafe_b64encode(dumps(["-number", str(n), n, False]).encode()).decode() for n in numbers(last)]
    deep = tuple(f"/api/v1/orders/?page_size=100&cursor={place}" for place in places)
    return {
        "an order of 3 lines": Work("order", "classic", among=1_000),
        "the newest 100 orders": Work("newest", "calls", addresses=("/api/v1/orders/?page_size=100",)),
        "100 orders from anywhere": Work("deep", "calls", addresses=deep),
        "100 products": Work("products", "calls", addresses=PRODUCTS),
        "the dashboard": Work("dashboard", "staff", clients=1, addresses=("/admin/?days=30",)),
    }


def numbers(last: int) -> list[int]:
    return [random.randint(200, last) for _ in range(200)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-growth ARGS=...", description=__doc__)
    parser.add_argument("--orders", type=int, nargs="+", default=ORDERS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    names = [f"bench_grown_{number}" for number in options.orders]
    try:
        measure(options, names)
    finally:
        for name in names:
            drop_database(name)


def measure(options: argparse.Namespace, names: list[str]) -> None:
    benches = []
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name, orders in zip(names, options.orders, strict=True):
            bench = Bench(argparse.Namespace(set=[]))
            bench.ours, bench.postmaster = Ours({}, database=name), postmaster(SERVER)
            print(f"Filling a shop with {orders:,} orders ...", file=sys.stderr)
            bench.known = bench.ours.grown(orders=orders)
            benches.append(bench)
        for bench in benches:
            stack.enter_context(bench.ours.serving(logs / bench.ours.database))
        results = rounds(benches, options)
    print(table(results, [bench.known for bench in benches]))
    for name in names:
        if faults := faults_in(name):
            raise SystemExit(f"The books of {name} do not balance: {faults[:3]}")


def rounds(benches: list[Bench], options: argparse.Namespace) -> dict[tuple[str, int], list[dict[str, Any]]]:
    results = defaultdict(list)
    for turn in range(options.rounds + 1):
        for name in works(1_000):
            for place, bench in random.sample(list(enumerate(benches)), len(benches)):
                work = works(bench.known["last"])[name]
                result = bench.drive(bench.ours, work, seconds=options.seconds)
                print(f"round {turn}  {name:28} {bench.known['items']:>12,} {result['rate']:8.0f}/s", file=sys.stderr)
                if turn:  # the first warms up
                    results[name, place].append(result)
    return results


def table(results: dict[tuple[str, int], list[dict[str, Any]]], shops: list[dict[str, Any]]) -> str:
    """Rates as shares of the smallest shop's in the same round; and the processor's milliseconds, app + PostgreSQL."""
    head = ["", *(f"{shop['items']:,} lines, {shop['movements']:,} movements" for shop in shops)]
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |"]
    for name in works(1_000):
        cells = []
        for place in range(len(shops)):
            ratios = [a["rate"] / b["rate"] for a, b in zip(results[name, place], results[name, 0], strict=True)]
            shares = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
            rate, app, database = (
                median(r[of] for r in results[name, place]) for of in ("rate", "app_ms", "database_ms")
            )
            cells.append(f"{shares}, {rate:.0f}/s, {app:.2f} + {database:.2f}")
        lines.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
