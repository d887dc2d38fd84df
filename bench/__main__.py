"""`make bench`: our shop beside the classic design and beside what PostgreSQL alone can do, in one run.

Rounds are interleaved: in each, every side does every piece of work, one after the other and in turns, so that whatever
else the machine does meets all of them. What counts are the ratios within a round: their median, least and greatest.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.chart import chart
from bench.processor import memory_of_workers, postmaster, seconds_of
from bench.sides import ROOT, SERVER, TOOLS, Floor, Ours, Peer, Side, drop_database, faults_in, settle


@dataclass(frozen=True)
class Work:
    name: str
    kind: str
    lines: int = 3
    among: int = 1_000
    clients: int = 16
    addresses: tuple[str, ...] = ()
    may_run_out: bool = False


WORKS = {
    "spread": Work("3 lines of 1,000 products", "classic"),
    "hot": Work("1 line, all of one product", "classic", lines=1, among=1),
    "baskets": Work("21 lines", "classic", lines=21),
    "list": Work("a page of 100 of 10,000 products", "list"),
    "v1": Work("3 lines by API v1, with a bearer token", "v1"),
}
FLOORS = {"spread": "spread", "hot": "hot"}


class Bench:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.ours, self.floor = Ours(dict(options.set)), Floor()
        self.peers = [Peer(locked=False), Peer(locked=True)]
        self.results: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)

    def prepare(self) -> None:
        print("Filling the databases ...", file=sys.stderr)
        self.known = self.ours.prepare()
        for peer in self.peers:
            peer.prepare()
        self.has_floor = self.floor.program is not None
        if self.has_floor:
            self.floor.prepare(like=self.ours.database)
        else:
            print("pgbench is not here, so there is no floor: apt-get install postgresql-contrib", file=sys.stderr)

    def clean_up(self) -> None:
        for side in (self.ours, *self.peers, self.floor):
            drop_database(side.database)

    def run(self) -> None:
        self.postmaster = postmaster(SERVER)
        with ExitStack() as stack:
            logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for number, side in enumerate([self.ours, *self.peers]):
                stack.enter_context(side.serving(logs / f"{number}.log"))
            self.warm_up()
            for number in range(self.options.rounds):
                self.round(number)
            self.memory = memory_of_workers(self.ours.process.pid)
        self.prove()

    def warm_up(self) -> None:
        for name in self.options.only:
            for side in self.sides_of(name):
                self.drive(side, WORKS[name], seconds=1.5)
            if self.has_floor and name in FLOORS:
                self.floor.per_second(FLOORS[name], seconds=1, clients=WORKS[name].clients)
        for side in [self.ours, *self.peers, *([self.floor] if self.has_floor else [])]:
            settle(side.database)

    def sides_of(self, name: str) -> list[Side]:
        return [self.ours] if name == "v1" else [self.ours, *self.peers]

    def round(self, number: int) -> None:
        for name in self.options.only:
            sides: list[Side | Floor] = [*self.sides_of(name)]
            if self.has_floor and name in FLOORS:
                sides.append(self.floor)
            for side in random.sample(sides, len(sides)):
                if isinstance(side, Floor):
                    rate = side.per_second(FLOORS[name], seconds=self.options.seconds, clients=WORKS[name].clients)
                    result: dict[str, Any] = {"rate": rate}
                else:
                    result = self.drive(side, WORKS[name], seconds=self.options.seconds)
                self.results[name, side.name].append(result)
                print(f"round {number + 1}  {name:8} {side.name:30} {result['rate']:8.0f}/s", file=sys.stderr)

    def drive(self, side: Side, work: Work, *, seconds: float) -> dict[str, Any]:
        job = {
            "kind": work.kind,
            "port": side.port,
            "clients": work.clients,
            "seconds": seconds,
            "lines": work.lines,
            "products": self.known["products"][: work.among],
            "rows": len(self.known["products"]),
            "token": self.known["token"],
            "session": self.known.get("session"),
            "run": random.getrandbits(64),
            "addresses": list(work.addresses),
        }
        before = seconds_of(side.process.pid), seconds_of(self.postmaster)
        command = [TOOLS / "python", "-m", "bench.load"]
        printed = subprocess.run(
            command, cwd=ROOT, input=json.dumps(job), check=True, stdout=subprocess.PIPE, text=True
        )
        after = seconds_of(side.process.pid), seconds_of(self.postmaster)
        result: dict[str, Any] = json.loads(printed.stdout)
        if result["wrong"] or (result["refused"] and not work.may_run_out):
            raise SystemExit(f"{side.name}, {work.name}: {result}")
        answered = result["done"] + result["refused"]
        app, database = ((b - a) / answered * 1000 for a, b in zip(before, after, strict=True))
        return result | {"rate": result["done"] / result["seconds"], "app_ms": app, "database_ms": database}

    def prove(self) -> None:
        """No figure without books that balance."""
        for database in [self.ours.database, *([self.floor.database] if self.has_floor else [])]:
            if faults := faults_in(database):
                raise SystemExit(f"The books of {database} do not balance: {faults[:3]}")

    # The table

    def rates(self, work: str, side: str, *, of: str = "rate") -> list[float]:
        return [result[of] for result in self.results[work, side]]

    def ratio(self, over: list[float], under: list[float]) -> dict[str, float] | None:
        ratios = [a / b for a, b in zip(over, under, strict=True)] if over and under else []
        return {"median": median(ratios), "least": min(ratios), "greatest": max(ratios)} if ratios else None

    def table(self) -> list[dict[str, Any]]:
        classic, locked = (peer.name for peer in self.peers)
        rows = []
        for name in self.options.only:
            ours = self.rates(name, "ours")
            row: dict[str, Any] = {
                "work": WORKS[name].name,
                "ours": median(ours),
                **{side: self.ratio(ours, self.rates(name, side)) for side in (classic, locked, self.floor.name)},
                "p99": {
                    side: median(self.rates(name, side, of="p99"))
                    for side in ("ours", classic, locked)
                    if self.results[name, side]
                },
                "app_ms": median(self.rates(name, "ours", of="app_ms")),
                "database_ms": median(self.rates(name, "ours", of="database_ms")),
            }
            if name == "v1":
                row["open classic path"] = self.ratio(ours, self.rates("spread", "ours"))
            elif self.results[name, classic]:
                p99 = [self.rates(name, side, of="p99") for side in (classic, "ours")]
                row["p99 of the classic design / ours"] = self.ratio(*p99)
            rows.append(row)
        return rows


def shown(ratio: dict[str, float] | None) -> str:
    return "{median:.2f} ({least:.2f}-{greatest:.2f})".format(**ratio) if ratio else ""


def as_markdown(rows: list[dict[str, Any]], classic: str, locked: str) -> str:
    head = ["work", "ours / classic", "ours / classic locked", "p99: classic / ours", "share of pgbench"]
    head += ["v1 / classic path", "ours, a second", "our p99, ms", "CPU ms: app + PostgreSQL"]
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |"]
    for row in rows:
        cells = [
            row["work"],
            shown(row[classic]),
            shown(row[locked]),
            shown(row.get("p99 of the classic design / ours")),
            shown(row["pgbench"]),
            shown(row.get("open classic path")),
            f"{row['ours']:.0f}",
            f"{row['p99']['ours']:.1f}",
            f"{row['app_ms']:.2f} + {row['database_ms']:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def variable(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise ValueError
    return name, value


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--only", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--json", type=Path, help="keep the figures of each round here")
    parser.add_argument("--chart", type=Path, help="draw the ratios here (SVG)")
    parser.add_argument("--set", nargs="+", type=variable, default=[], metavar="NAME=VALUE", help="of our server")
    options = parser.parse_args()
    bench = Bench(options)
    try:
        bench.prepare()
        bench.run()
    finally:
        bench.clean_up()
    rows = bench.table()
    print(as_markdown(rows, *(peer.name for peer in bench.peers)))
    print(f"memory of our workers: {', '.join(f'{mb:.0f} MB' for mb in bench.memory)}")
    if options.chart:
        options.chart.write_text(chart(rows, bench.peers[0].name))
    if options.json:
        figures = {f"{work}, {side}": found for (work, side), found in bench.results.items()}
        options.json.write_text(json.dumps({"table": rows, "rounds": figures}, indent=1))


if __name__ == "__main__":
    main()
