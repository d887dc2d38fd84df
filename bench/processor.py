"""Processor time of processes, read from /proc: steadier than the clock on a machine that others use too."""

import os
from pathlib import Path

import psycopg

TICK = os.sysconf("SC_CLK_TCK")


def fields_of(pid: int | str) -> list[str]:
    """From the state on (field 3 of proc(5)): the name before it may hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def parent_of(pid: int) -> int:
    return int(fields_of(pid)[1])


def seconds_of(root: int | None) -> float:
    """What a process and all that descend from it have used, the ended ones too."""
    if root is None:
        return 0.0
    children: dict[int, list[int]] = {}
    used: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = fields_of(folder.name)
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(folder.name))
            used[int(folder.name)] = sum(map(int, fields[11:15])) / TICK
    family = [root]
    for pid in family:
        family += children.get(pid, [])
    return sum(used.get(pid, 0.0) for pid in family)


def postmaster(url: str) -> int | None:
    """None where PostgreSQL runs elsewhere."""
    with psycopg.connect(url) as connection:
        [backend] = connection.execute("SELECT pg_backend_pid()").fetchone()  # type: ignore[misc]
        try:
            return parent_of(backend) if "postgres" in Path(f"/proc/{backend}/cmdline").read_text() else None
        except OSError:
            return None


def memory_of_workers(root: int) -> list[float]:
    """Resident memory of the children of a process, in MB."""
    pids = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    return [resident(pid) for pid in pids if Path(f"/proc/{pid}").exists() and parent_of(pid) == root]


def resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
