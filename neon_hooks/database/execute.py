"""Running SQL files as ``psql -v ON_ERROR_STOP=1 -f FILE`` would, and noting what happened.

One session per file, statement by statement; a transaction only where the file opens one, unless the
caller wraps the file. psql's own commands are followed where they are harmless (``\\i``, ``\\echo``) and
refused where they would leave the test Neon database branch or hide statements (``\\connect``, ``\\!``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg
from psycopg.pq import TransactionStatus

from neon_hooks.database.connect import Connection, connect
from neon_hooks.sqlscript import Part, split
from neon_hooks.dsn import Dsn
from neon_hooks.facts import DatabaseError, Statement

IGNORED = frozenset(
    "echo qecho warn timing pset x a t f H restrict unrestrict unset errverbose encoding".split()
)
INCLUDES = ("i", "ir", "include", "include_relative")
MAX_DEPTH = 16

Read = Callable[[str, str], str]
"""``read(name, including_path)`` returns the text of an included file; raises OSError."""


@dataclass(frozen=True)
class FileRun:
    """What one file did. The last statement has the error, if there was one."""

    path: str
    statements: tuple[Statement, ...]

    @property
    def error(self) -> DatabaseError | None:
        return self.statements[-1].error if self.statements else None


class Session:
    """One session while it works through one file, whose text begins below its ``offset`` first lines."""

    def __init__(
        self, connection: Connection, read: Read, began: float, transaction: int, offset: int = 0
    ) -> None:
        self.connection = connection
        self.read = read
        self.began = began
        self.transaction = transaction
        self.offset = offset
        self.statements: list[Statement] = []

    def in_transaction(self) -> bool:
        return self.connection.info.transaction_status != TransactionStatus.IDLE

    def file(self, text: str, path: str, depth: int = 0) -> bool:
        """Run ``text``; False as soon as something failed."""
        return all(self.part(part, path, depth) for part in split(text))

    def part(self, part: Part, path: str, depth: int) -> bool:
        if part.kind == "meta":
            return self.command(part, path, depth)
        return self.sql(part)

    def sql(self, part: Part) -> bool:
        if not self.in_transaction():
            self.transaction += 1
        started = time.monotonic()
        error, rows = self._send(part)
        now = time.monotonic()
        self.statements.append(
            Statement(
                sql=part.text,
                line=self.offset + part.line + (part.text.count("\n", 0, max(0, error.position - 1)) if error else 0),
                started_ms=(started - self.began) * 1000,
                ms=(now - started) * 1000,
                transaction=self.transaction,
                rows=rows,
                error=error,
            )
        )
        return error is None

    def _send(self, part: Part) -> tuple[DatabaseError | None, int | None]:
        try:
            cursor = self.connection.cursor()
            sql = part.text.encode()  # bytes: sent as they are, by the simple query protocol
            if part.copy_data is not None:
                with cursor.copy(sql) as copy:
                    copy.write(part.copy_data)
            else:
                cursor.execute(sql)
            return None, cursor.rowcount if cursor.rowcount >= 0 else None
        except psycopg.Error as error:
            return database_error(error), None

    def command(self, part: Part, path: str, depth: int) -> bool:
        name, _, argument = part.text[1:].partition(" ")
        argument = argument.strip().strip("'")
        if name in IGNORED or (name == "set" and argument.startswith("ON_ERROR_")):
            return True
        if name in INCLUDES and depth < MAX_DEPTH:
            try:
                return self.file(self.read(argument, path), argument, depth + 1)
            except OSError as error:
                return self.refuse(part, f"cannot read {argument}: {error.strerror or error}")
        return self.refuse(
            part, f"\\{name} is a command of psql that is not run on a test Neon database branch"
        )

    def expect_no_transaction(self, last: int) -> bool:
        """At the end of a file, its line ``last``."""
        return not self.in_transaction() or self.refuse(
            Part("sql", "", last),
            "the file ends inside a transaction that it opened: all of it is rolled back (COMMIT is missing)",
        )

    def refuse(self, part: Part, why: str) -> bool:
        self.statements.append(
            Statement(sql=part.text, line=self.offset + part.line, error=DatabaseError("", why))
        )
        return False


def run_files(dsn: Dsn, files: Sequence[tuple[str, str]], *, read: Read, single_transaction: bool) -> list[FileRun]:
    """Run ``files`` (path, text) in order, each in a session of its own, up to the first error.

    Raises psycopg.OperationalError only when no connection can be made.
    """
    began = time.monotonic()
    done: list[FileRun] = []
    transaction = 0
    for path, text in files:
        # Not `with connect()`: that would commit what the file left open, and psql rolls it back.
        with closing(connect(dsn)) as connection:
            run = Session(connection, read, began, transaction)
            _run_one(run, text, path, single_transaction)
            transaction = run.transaction
        done.append(FileRun(path, tuple(run.statements)))
        if done[-1].error:
            break
    return done


def _run_one(run: Session, text: str, path: str, single_transaction: bool) -> None:
    last = text.count("\n") + 1
    if single_transaction:
        run.sql(Part("sql", "BEGIN", 1))
    if not run.file(text, path):
        return
    if single_transaction:
        run.sql(Part("sql", "COMMIT", last))
    else:
        run.expect_no_transaction(last)


def database_error(error: psycopg.Error) -> DatabaseError:
    """Postgres' words out of psycopg's exception."""
    diag = error.diag
    return DatabaseError(
        sqlstate=error.sqlstate or "",
        message=diag.message_primary or str(error).strip() or type(error).__name__,
        detail=diag.message_detail or "",
        hint=diag.message_hint or "",
        context=diag.context or "",
        position=int(diag.statement_position or 0),
    )
