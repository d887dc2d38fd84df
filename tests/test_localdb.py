"""Every run here is a real one, of a copy of the module in a checkout of its own."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ecommerce import localdb

SQL = """
import os, sys, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    cursor = connection.execute(sys.argv[1])
    print(cursor.fetchone()[0] if cursor.description else "")
"""
SAVES_ON_CTRL_C = """
import os, signal, time, psycopg
interrupts = []
signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
print("ready", flush=True)
while not interrupts: time.sleep(0.01)
time.sleep(0.3)
psycopg.connect(os.environ["DATABASE_URL"]).execute("SELECT 1")
print("saved")
raise SystemExit(3)
"""
STARTED_AT = "SELECT pg_postmaster_start_time()::text"


class Checkout:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.base = Path(f"/var/lib/ecommerce-{localdb.short_hash(path)}") if localdb.AS_ROOT else path / ".local"
        self.data = self.base / "run" / "data"
        (path / "ecommerce").mkdir(parents=True)
        shutil.copy(localdb.__file__, path / "ecommerce")

    def start(self, *command: str, options: Sequence[str] = (), **variables: str) -> subprocess.Popen[str]:
        others = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "LOCAL")}
        return subprocess.Popen(
            [sys.executable, "-m", "ecommerce.localdb", *options, "--", *command],
            cwd=self.path,
            env=others | (variables or {"LOCAL": "1"}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def run(self, *command: str, **how: Any) -> tuple[int, str, str]:
        process = self.start(*command, **how)
        out, err = process.communicate(timeout=60)
        return process.returncode, out.strip(), err.strip()

    def sql(self, statement: str, **how: Any) -> str:
        code, out, err = self.run(sys.executable, "-c", SQL, statement, **how)
        assert (code, err) == (0, "")
        return out

    @contextmanager
    def another_run(self, *command: str, **how: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """A run that lasts as long as the context, and the first line that its command wrote."""
        with self.start(*(command or ("sh", "-c", "echo $DATABASE_URL; read line")), **how) as process:
            yield process, process.stdout.readline().strip()
            process.stdin.close()

    def postmaster(self) -> int | None:
        file = self.data / "postmaster.pid"
        return int(file.read_text().split()[0]) if file.exists() else None


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture(scope="module")
def new_checkout(tmp_path_factory) -> Iterator[Callable[..., Checkout]]:
    made = []

    def make(below: str = "") -> Checkout:
        made.append(Checkout(tmp_path_factory.mktemp("shop").resolve() / below))
        return made[-1]

    yield make
    for checkout in made:
        for file in checkout.base.glob("*/data/postmaster.pid"):
            os.kill(int(file.read_text().split()[0]), signal.SIGQUIT)
        shutil.rmtree(checkout.base, ignore_errors=True)


@pytest.fixture(scope="module")
def checkout(new_checkout) -> Checkout:
    return new_checkout("A Checkout")


def test_refuses_to_be_production(new_checkout):
    checkout = new_checkout()

    code, _, err = checkout.run("true", LOCAL="0")

    assert code == 2
    assert "DATABASE_URL" in err
    assert len(err.splitlines()) == 1
    assert not checkout.base.exists()


@pytest.mark.parametrize("options", [(), ("--throwaway",)])
def test_uses_the_server_that_is_given(new_checkout, options):
    checkout = new_checkout()

    result = checkout.run("sh", "-c", "echo $DATABASE_URL; exit 3", options=options, DATABASE_URL="postgresql://given")

    assert result == (3, "postgresql://given", "")
    assert not checkout.base.exists()


def test_keeps_its_data(checkout):
    checkout.sql("CREATE TABLE kept AS SELECT 42 AS answer")

    assert checkout.sql("SELECT answer || current_database() || current_setting('fsync') FROM kept") == "42shopon"


def test_a_throwaway_is_fresh_even_after_a_killed_run(checkout):
    look = "SELECT count(*) || current_setting('fsync') FROM pg_roles WHERE rolname = 'lost'"
    with checkout.another_run(options=["--throwaway"]) as (run, _):
        checkout.sql("CREATE ROLE lost", options=["--throwaway"])
        assert checkout.sql(look, options=["--throwaway"]) == "1off"
        run.kill()

    assert checkout.sql(look, options=["--throwaway"]) == "0off"
    assert not (checkout.base / "throwaway").exists()


def test_only_its_owner_can_reach_it(checkout):
    with checkout.another_run() as (_, url):
        folder = Path(parse_qs(urlsplit(url).query)["host"][0])

        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / ".s.PGSQL.5432").is_socket()
        assert checkout.sql("SHOW listen_addresses") == ""


def test_ends_as_its_command_ends(checkout):
    assert checkout.run("sh", "-c", "exit 7") == (7, "", "")
    assert checkout.run("sh", "-c", "kill -9 $$") == (128 + signal.SIGKILL, "", "")


def test_runs_at_once_share_a_server_until_the_last_has_gone(checkout):
    with checkout.another_run():
        first = checkout.sql(STARTED_AT)
        with checkout.another_run():
            second = checkout.sql(STARTED_AT)
        third = checkout.sql(STARTED_AT)

    assert first == second == third
    assert checkout.postmaster() is None


def test_throwaway_runs_at_once_have_a_database_each(checkout):
    runs = [checkout.start("sh", "-c", "echo $DATABASE_URL", options=["--throwaway"]) for _ in range(3)]

    urls = {run.communicate(timeout=60)[0] for run in runs}

    assert len(urls) == 3
    assert not (checkout.base / "throwaway").exists()


def test_what_the_command_leaves_behind_keeps_no_server_up(checkout):
    _, pid, _ = checkout.run("sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!")

    os.kill(int(pid), signal.SIGKILL)
    assert checkout.postmaster() is None


def test_the_next_run_joins_the_server_of_a_killed_run(checkout):
    with checkout.another_run() as (run, _):
        left = checkout.sql(STARTED_AT)
        run.kill()

    assert checkout.postmaster()
    assert checkout.sql(STARTED_AT) == left
    assert checkout.postmaster() is None


def test_the_next_run_recovers_what_a_killed_server_left(checkout):
    with checkout.another_run():
        checkout.sql("CREATE TABLE survivor AS SELECT 1 AS one")
        os.kill(checkout.postmaster(), signal.SIGKILL)

    assert checkout.sql("SELECT one FROM survivor") == "1"


def test_a_process_that_bears_the_id_of_a_gone_server_is_no_server(checkout):
    checkout.sql("SELECT 1")
    owner = checkout.data.stat().st_uid
    with subprocess.Popen(["sleep", "60"], user=owner, cwd="/") as stranger:
        (checkout.data / "postmaster.pid").write_text(f"{stranger.pid}\n{checkout.data}\n")

        assert checkout.sql("SELECT 1") == "1"
        assert stranger.poll() is None
        stranger.kill()


def test_the_next_run_clears_up_an_unfinished_initdb(checkout):
    data = checkout.base / "throwaway" / "data"
    run = checkout.start("true", options=["--throwaway"])
    wait_for(data.with_name("data.new") / "PG_VERSION")
    run.kill()
    run.communicate()

    assert not data.exists()
    assert checkout.sql("SELECT 1", options=["--throwaway"]) == "1"


def test_a_signal_during_the_start_stops_the_server_too(checkout):
    checkout.sql("SELECT 1")
    run = checkout.start("echo", "never")
    wait_for(checkout.data / "postmaster.pid")
    run.terminate()

    assert run.communicate(timeout=60) == ("", "")
    assert run.returncode == 128 + signal.SIGTERM
    assert checkout.postmaster() is None


def test_sigterm_reaches_the_command(checkout):
    command = "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.1; done"
    with checkout.another_run("sh", "-c", command) as (run, _):
        run.terminate()

        assert run.communicate(timeout=60) == ("bye\n", "")
    assert run.returncode == 5


def test_ctrl_c_leaves_the_command_its_database_until_it_ends(checkout):
    with checkout.another_run(sys.executable, "-c", SAVES_ON_CTRL_C) as (run, _):
        os.killpg(run.pid, signal.SIGINT)

        assert run.communicate(timeout=60) == ("saved\n", "")
    assert run.returncode == 3
    assert checkout.postmaster() is None


def test_says_which_version_the_data_need(checkout):
    checkout.sql("CREATE TABLE precious AS SELECT 1 AS one")
    version = checkout.data / "PG_VERSION"
    right = version.read_text()
    version.write_text("9")

    code, _, err = checkout.run("true")

    version.write_text(right)
    assert code == 1
    assert err.startswith(f"localdb: The data in {checkout.data} need PostgreSQL 9, which is not here")
    assert checkout.sql("SELECT one FROM precious") == "1"


def test_shows_the_end_of_the_log_when_the_server_does_not_start(checkout):
    checkout.sql("SELECT 1")
    settings = checkout.data / "postgresql.auto.conf"
    settings.write_text("no_such_setting = 1\n")

    code, _, err = checkout.run("true")

    settings.write_text("")
    assert code == 1
    assert 'unrecognized configuration parameter "no_such_setting"' in err
    assert "Traceback" not in err


@pytest.mark.skipif(localdb.AS_ROOT, reason="root's sockets lie in /var/lib, where every path is short")
class TestALongPath:
    def test_has_its_socket_elsewhere(self, new_checkout):
        checkout = new_checkout("x" * 120)

        with checkout.another_run() as (_, url):
            folder = Path(parse_qs(urlsplit(url).query)["host"][0])
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert checkout.sql("SELECT 1") == "1"

        assert not folder.exists()

    def test_does_not_use_a_folder_that_others_can_enter(self, new_checkout):
        checkout = new_checkout("y" * 120)
        folder = Path(f"/tmp/ecommerce-{os.geteuid()}-{localdb.short_hash(checkout.base / 'run')}")
        (folder / "theirs").mkdir(parents=True)
        folder.chmod(0o755)

        code, _, err = checkout.run("true")

        assert (code, (folder / "theirs").exists()) == (1, True)
        assert err.startswith(f"localdb: {folder} should be a folder of yours")
        shutil.rmtree(folder)
