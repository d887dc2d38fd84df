"""Statements of the order path: PostgreSQL parses and plans each once for a connection, and nobody builds it anew.

They are sent by psycopg's libpq (`psycopg.pq`), since its cursors take as long as PostgreSQL does for a short one. And
the last ones of a transaction are committed where they arrive, in libpq's pipeline mode: one journey instead of three,
and no lock waits for the other two.

Everything else goes through Django's cursors, which send values as part of the text. So the generic plans that the
settings force on prepared statements (`plan_cache_mode`) are these statements' alone, and no filtered list suffers.
Behind a pooler nothing is prepared: their text travels each time.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import IsolationLevel, generators, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import OperationalError, error_from_result
from psycopg.types.numeric import Int8

THEN = ";\n"
Values = Mapping[str, Any]
Row = tuple[Any, ...]


def fetch(sql: str, values: Values, *, commit: bool = False) -> list[Row]:
    """The rows that a statement answers; `%(name)s` stands for a value. Whole numbers among the values should be a
    `number`, or in an `array`. Of several statements, with `THEN` between them, the first answers; all travel together,
    and after one that fails none is done.

    `commit` is for the last statement of an `atomic` block: where that is the outermost one, its transaction is
    committed with it, and what fails at that is raised here.
    """
    database: Any = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    cursor = cursor_of(database.connection)
    cursor.commits = commit and database.in_atomic_block and not database.savepoint_ids
    database._prepare_cursor(cursor).execute(sql, values)
    rows, cursor.rows = cursor.rows, []
    return rows


def cursor_of(connection: Any) -> "PreparedCursor":
    """One for all statements of a connection, which it remembers."""
    if getattr(connection, "prepared_cursor", None) is None:
        connection.prepared_cursor = PreparedCursor(connection)
    cursor: PreparedCursor = connection.prepared_cursor
    return cursor


class PreparedCursor:
    """What Django wraps to count statements and to translate their errors."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.pgconn = connection, connection.pgconn
        self.scripts: dict[str, Script] = {}
        self.commits = False
        self.rows: list[Row] = []
        self._query: Script | None = None  # where Django looks for what was sent

    def execute(self, sql: str, values: Values) -> None:
        script = self._query = self.scripts.get(sql) or self.new_script(sql)
        params = [statement.dumped(values) for statement in script.statements]
        begins = not self.connection.autocommit and self.pgconn.transaction_status == pq.TransactionStatus.IDLE
        if begins or self.commits or len(params) > 1:
            result = self.in_one_journey(script, params, begins=begins)
        else:
            script.statements[0].send(params[0])
            [result] = self.connection.wait(generators.execute(self.pgconn))
        self.rows = script.statements[0].loaded(succeeded(result))

    def new_script(self, sql: str) -> "Script":
        name = None if settings.DATABASE_POOLER else f"shop_{len(self.scripts)}"
        self.scripts[sql] = Script(sql, self.connection, name)
        return self.scripts[sql]

    def in_one_journey(self, script: "Script", params: list[Any], *, begins: bool) -> Any:
        """What the first statement answers. After one that fails, PostgreSQL reads no more."""
        before, after = self.around(begins=begins)
        self.pgconn.enter_pipeline_mode()
        try:
            for command in before:
                self.pgconn.send_query_params(command, None)
            for statement, its in zip(script.statements, params, strict=True):
                statement.send(its)
            for command in after:
                self.pgconn.send_query_params(command, None)
            self.pgconn.pipeline_sync()
            answers = self.connection.wait(answers_from(self.pgconn))
            self.pgconn.exit_pipeline_mode()
        except BaseException:
            self.connection.close()  # in the middle of it: nobody knows what comes next
            raise
        return [succeeded(answer) for answer in answers][len(before)]

    def around(self, *, begins: bool) -> tuple[list[bytes], list[bytes]]:
        """BEGIN and COMMIT, where one of them travels without the other. Whatever is sent outside of a transaction is
        one by itself, which the sync commits: PostgreSQL's manual, Message Flow, Pipelining."""
        level = self.connection.isolation_level
        if begins and self.commits and level is None:
            return [], []
        return [begin(level)] * begins, [b"COMMIT"] * self.commits


def answers_from(pgconn: Any) -> Any:
    """What each statement answers, up to the sync: waited for at once, since most come with the first. Without the
    sync's own, nothing is committed for certain. Raises OperationalError."""
    yield from generators.send(pgconn)
    answers: list[Any] = []
    while not answers or answers[-1].status != pq.ExecStatus.PIPELINE_SYNC:
        found = yield from generators.fetch_many(pgconn)
        if not found:
            raise OperationalError("the server has not answered all of it")
        answers += found
    return answers


def begin(level: IsolationLevel | None) -> bytes:
    """As psycopg begins a transaction, of which Django's options may set the level."""
    return b"BEGIN" if level is None else f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}".encode()


class Script:
    """Statements that are sent one after the other."""

    def __init__(self, sql: str, connection: Any, name: str | None) -> None:
        self.query = sql.encode()
        self.statements = [
            Statement(words, connection, name and f"{name}_{place}") for place, words in enumerate(sql.split(THEN))
        ]


class Statement:
    """One text on one connection. With a name it is prepared, once for all values of the same types."""

    def __init__(self, sql: str, connection: Any, name: str | None) -> None:
        self.pgconn, self.transformer, self.name = connection.pgconn, Transformer(connection), name
        self.order = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", sql)))
        places = {value: f"${place}" for place, value in enumerate(self.order, 1)}
        self.query = re.sub(r"%\((\w+)\)s", lambda found: places[found[1]], sql).replace("%%", "%").encode()
        self.formats = [PyFormat.AUTO] * len(self.order)
        self.prepared: dict[tuple[int, ...] | None, bytes] = {}  # by the types

    def dumped(self, values: Values) -> Any:
        """What is sent for the values; in time, the name of the statement for their types."""
        params = self.transformer.dump_sequence([values[name] for name in self.order], self.formats)
        types = self.transformer.types
        if self.name is not None and types not in self.prepared:
            name = f"{self.name}_{len(self.prepared)}".encode()
            succeeded(self.pgconn.prepare(name, self.query, types))
            self.prepared[types] = name
        return params

    def send(self, params: Any) -> None:
        types, formats = self.transformer.types, self.transformer.formats
        if self.name is None:
            self.pgconn.send_query_params(self.query, params, types, formats)
        else:
            self.pgconn.send_query_prepared(self.prepared[types], params, formats)

    def loaded(self, result: Any) -> list[Row]:
        self.transformer.set_pgresult(result)
        rows: list[Row] = self.transformer.load_rows(0, result.ntuples, tuple)
        self.transformer.set_pgresult(None)  # which may be large
        return rows


def succeeded(result: Any) -> Any:
    if result.status == pq.ExecStatus.FATAL_ERROR:
        raise error_from_result(result, encoding="utf-8")
    return result


def number(value: int) -> Int8:
    """Of one width, since psycopg gives a number the narrowest type and each type a statement of its own."""
    return Int8(value)


def array(words: Iterable[object]) -> str:
    """Numbers, or words without a sign that PostgreSQL's arrays give a meaning."""
    return "{" + ",".join(map(str, words)) + "}"


def texts(words: Iterable[str]) -> str:
    """Any words, as PostgreSQL writes an array: psycopg's way to dump a list takes as long as a short statement."""
    return "{" + ",".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words) + "}"
