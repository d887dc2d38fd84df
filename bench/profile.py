"""`make profile`: where the time of our server goes under load, as py-spy sees it. It needs root, or ptrace allowed."""

import argparse
import re
import subprocess
import tempfile
import threading
from collections import Counter
from pathlib import Path

from bench.__main__ import WORKS, Bench
from bench.sides import ROOT, TOOLS, drop_database, settle

PLACES = {  # the first that the innermost frames meet says whose time it is
    "gunicorn": "/gunicorn/",
    "psycopg": "/psycopg",
    "Django's ORM": "/django/db/models/",
    "Django's connection": "/django/db/",
    "DRF": "/rest_framework/",
    "Django": "/django/",
    "structlog and logging": "/structlog/|/logging/",
    "the shop": f"{ROOT}/",
}


def place_of(stack: str) -> str:
    for frame in reversed(stack.split(";")):
        for name, pattern in PLACES.items():
            if re.search(pattern, frame):
                return name
    return "other"


def owners(stacks: dict[str, int]) -> dict[str, Counter[str]]:
    """Samples by place, and by function: those in which it runs itself, and those in which it runs at all."""
    found: dict[str, Counter[str]] = {"place": Counter(), "itself": Counter(), "with what it calls": Counter()}
    for stack, samples in stacks.items():
        frames = [re.sub(r":\d+\)$", ")", frame) for frame in stack.split(";")]
        found["place"][place_of(stack)] += samples
        found["itself"][frames[-1]] += samples
        found["with what it calls"].update(dict.fromkeys(frames, samples))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="make profile ARGS=...", description=__doc__)
    parser.add_argument("--only", choices=WORKS, default="spread")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--all", action="store_true", help="waiting too, and not only what holds the interpreter")
    options = parser.parse_args()
    bench = Bench(argparse.Namespace(set=[]))
    try:
        bench.known = bench.ours.prepare()
        with tempfile.TemporaryDirectory() as folder, bench.ours.serving(Path(folder) / "log"):
            bench.postmaster = None
            bench.drive(bench.ours, WORKS[options.only], seconds=2)
            settle(bench.ours.database)
            load = threading.Thread(
                target=bench.drive, args=(bench.ours, WORKS[options.only]), kwargs={"seconds": options.seconds + 1}
            )
            load.start()
            stacks = Path(folder) / "stacks"
            watch = [
                "record",
                "--pid",
                str(bench.ours.process.pid),
                "--subprocesses",
                "--format",
                "raw",
                "--full-filenames",
            ]
            watch += ["--rate", "500", "--duration", str(options.seconds), "--output", str(stacks)]
            watch += [] if options.all else ["--gil"]
            subprocess.run([TOOLS / "py-spy", *watch], check=True, capture_output=True)
            load.join()
            lines = [line.rpartition(" ") for line in stacks.read_text().splitlines()]
    finally:
        drop_database(bench.ours.database)
    found = owners({stack: int(samples) for stack, _, samples in lines})
    total = found["place"].total()
    for title, counted in found.items():
        print(f"\n{title}")
        for name, samples in counted.most_common(60 if title == "with what it calls" else 25):
            print(f"{samples / total:7.1%}  {name.replace(str(ROOT) + '/', '')}")


if __name__ == "__main__":
    main()
