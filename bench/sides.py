"""Who is measured: each side has a database of its own on one PostgreSQL, and a server of its own on two processes."""

import http.client
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bench.shop import PRODUCTS, STOCK

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".venv-bench/bin"
SERVER = os.environ["DATABASE_URL"]
OURS_TO_READ = set(re.findall(r'"([A-Z_]{4,})"', (ROOT / "ecommerce/settings.py").read_text()))
CLEAN = {name: value for name, value in os.environ.items() if name not in OURS_TO_READ | {"DJANGO_SETTINGS_MODULE"}}
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "ecommerce.settings",
    "SECRET_KEY": "of-the-bench-alone-and-of-forty-characters-0",
    "ALLOWED_HOSTS": "shop.example.com",
    "API_OPEN": "classic",
    "BIND_ADDRESS": "127.0.0.1",
}
SAME_PRODUCTS = f"""
    INSERT INTO products (id, name, description, price, stock)
    SELECT n, 'Product ' || n, 'Thing number ' || n || ', '
           || repeat('well made and of good use to whoever has it. ', 2), (99 + n * 7 % 10000) / 100.0, {STOCK}
      FROM generate_series(1, {PRODUCTS}) AS n
"""


def url_of(database: str) -> str:
    return urlsplit(SERVER)._replace(path=f"/{database}").geturl()


def on_server(*statements: str, database: str | None = None) -> None:
    with psycopg.connect(url_of(database) if database else SERVER, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def settle(database: str) -> None:
    """Make of a new shop one that has been open for a while: its tables are known for what they hold.

    Not while there are no orders, or foreign keys are looked up as in an empty table until the next analysis.
    """
    on_server("VACUUM (ANALYZE, INDEX_CLEANUP ON)", database=database)


def drop_database(name: str) -> None:
    on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def new_database(name: str, *, like: str = "template1") -> str:
    drop_database(name)
    on_server(f"CREATE DATABASE {name} TEMPLATE {like}")
    return url_of(name)


def free_socket() -> socket.socket:
    """Ours before the server starts, so that nobody else's can be taken for it."""
    for _ in range(100):
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", random.randrange(20_000, 32_000)), backlog=512)
    raise RuntimeError("no port is free")


def run(*command: str | Path, **environment: str) -> str:
    return subprocess.run(
        command, cwd=ROOT, env=CLEAN | environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


class Side:
    """A server that answers the classic API, from `start` on."""

    name: str
    database: str

    def command(self, file: int) -> list[str]:
        """What serves at the open socket of this number."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        raise NotImplementedError

    @contextmanager
    def serving(self, log: Path) -> Iterator["Side"]:
        environment = CLEAN | self.environment() | {"DATABASE_URL": url_of(self.database)}
        with log.open("w") as output, free_socket() as listening:
            self.port, file = listening.getsockname()[1], listening.fileno()
            command = self.command(file)
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
                pass_fds=[file],
                start_new_session=True,
            )
        try:
            self.wait()
            yield self
        finally:
            self.process.terminate()
            self.process.wait()

    def wait(self) -> None:
        for _ in range(300):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{self.name} did not start")

    def faults(self) -> list[str]:
        return []


class Ours(Side):
    name = "ours"

    def __init__(self, variables: dict[str, str], *, database: str = "bench_ours") -> None:
        self.variables, self.database = variables, database

    def prepare(self, *, stock: int = STOCK) -> dict[str, Any]:
        url, environment = self.migrated(), PRODUCTION | {"STOCK": str(stock)}
        known = json.loads(run(sys.executable, "-m", "bench.shop", "fill", DATABASE_URL=url, **environment))
        return dict(known)

    def grown(self, *, orders: int) -> dict[str, Any]:
        url = self.migrated()
        wanted = ["--products", "10000", "--orders", str(orders)]
        run(sys.executable, "manage.py", "fill_demo", *wanted, DATABASE_URL=url, LOCAL="1")
        quietly = PRODUCTION | {"LOG_LEVEL": "ERROR"}  # what it prints is read
        return dict(json.loads(run(sys.executable, "-m", "bench.shop", "grown", DATABASE_URL=url, **quietly)))

    def migrated(self) -> str:
        url = new_database(self.database)
        run(sys.executable, "manage.py", "migrate", "-v0", DATABASE_URL=url, **PRODUCTION)
        return url

    def command(self, file: int) -> list[str]:
        return [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.py", "-b", f"fd://{file}", "ecommerce.wsgi"]

    def environment(self) -> dict[str, str]:
        if not (ROOT / "staticfiles").exists():
            run(sys.executable, "manage.py", "collectstatic", "--no-input", "-v0", **PRODUCTION)
        return PRODUCTION | self.variables

    def faults(self) -> list[str]:
        return faults_in(self.database)


def faults_in(database: str) -> list[str]:
    answer = run(sys.executable, "-m", "bench.shop", "check", DATABASE_URL=url_of(database), **PRODUCTION)
    return list(json.loads(answer)["faults"])


class Peer(Side):
    def __init__(self, *, locked: bool) -> None:
        self.locked = locked
        self.name = "the classic design, with a lock" if locked else "the classic design"
        self.database = "bench_peer_locked" if locked else "bench_peer"

    def prepare(self) -> None:
        url = new_database(self.database)
        make = "from bench.peers.classic import Base, engine; Base.metadata.create_all(engine)"
        run(TOOLS / "python", "-c", make, DATABASE_URL=url)
        on_server(SAME_PRODUCTS, database=self.database)

    def command(self, file: int) -> list[str]:
        arguments = ["bench.peers.classic:app", "--workers", "2", "--fd", str(file)]
        return [str(TOOLS / "uvicorn"), *arguments]

    def environment(self) -> dict[str, str]:
        return {"LOCKED": "1" if self.locked else "0"}


class Floor:
    """The statements of an order of ours, sent by pgbench: what PostgreSQL and the disk alone take."""

    name, database = "pgbench", "bench_floor"

    def __init__(self) -> None:
        folders = [Path("/usr/bin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
        self.program = shutil.which("pgbench", path=os.pathsep.join([os.environ["PATH"], *map(str, folders)]))

    def prepare(self, like: str) -> None:
        new_database(self.database, like=like)

    def per_second(self, script: str, *, seconds: float, clients: int) -> float:
        options = ["-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(max(1, round(seconds)))]
        environment = {"PGOPTIONS": "-c plan_cache_mode=force_generic_plan"}
        file = ROOT / f"bench/floor/{script}.sql"
        printed = run(str(self.program), *options, "-f", file, url_of(self.database), **environment)
        return float(re.search(r"tps = ([0-9.]+)", printed)[1])  # type: ignore[index]
