"""`make bench-flash`: 64 clients buy one product of which there are 10,000 units, and go on when there are none."""

import argparse
import tempfile
from pathlib import Path

from bench.__main__ import Bench, Work
from bench.processor import postmaster
from bench.sides import SERVER, drop_database

UNITS = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-flash ARGS=...", description=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--set", nargs="+", type=lambda text: tuple(text.split("=", 1)), default=[])
    options = parser.parse_args()
    bench = Bench(argparse.Namespace(set=options.set))
    try:
        bench.known = bench.ours.prepare(stock=options.units)
        bench.postmaster = postmaster(SERVER)
        with tempfile.TemporaryDirectory() as folder, bench.ours.serving(Path(folder) / "log"):
            sell(bench, clients=options.clients, units=options.units)
        bench.has_floor = False
        bench.prove()
    finally:
        drop_database(bench.ours.database)


def sell(bench: Bench, *, clients: int, units: int) -> None:
    """Second by second, and then only refusals. Each order is of 1 to 3 units."""
    sold, seconds = 0, 2.0
    print("| after s | orders/s | p50 ms | p99 ms | refusals/s | p50 ms | p99 ms |\n|---|---|---|---|---|---|---|")
    work, rows = Work("flash", "classic", lines=1, among=1, clients=clients, may_run_out=True), 0
    passed = 0.0
    while rows < 2:
        result = bench.drive(bench.ours, work, seconds=seconds)
        passed += result["seconds"]
        sold += result["done"]
        rows += result["done"] == 0
        cells = [result["rate"], result["p50"], result["p99"]]
        cells += [result["refused"] / result["seconds"], result["refused_p50"], result["refused_p99"]]
        shown = ["" if cell is None else f"{cell:.0f}" for cell in cells]
        print(f"| {passed:.0f} | {' | '.join(shown)} |", flush=True)
    print(f"\n{sold:,} orders took the {units:,} units.")


if __name__ == "__main__":
    main()
