"""A Postgres of a worker's own: the emulator's main Neon database branch, and databases to throw away.

Scripts go through psql, as a person would run them, and as the owner role that a project at Neon has.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from neon_hooks.database.connect import connect
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator, binaries

ROLES = ("app_reader", "app_writer")  # grants in the corpus name them
NUMBERS = count(1)
SECONDS = 60


@dataclass(frozen=True)
class Ran:
    """A program that was run: "" in ``error`` when it succeeded."""

    output: str
    error: str


@dataclass(frozen=True)
class Database:
    dsn: Dsn
    directory: Path

    def run(self, program: str, *arguments: str, text: str = "") -> Ran:
        quiet = "-c client_min_messages=warning -c lock_timeout=10s"
        environ = {
            "PATH": os.defpath, "LC_ALL": "C.UTF-8", "PGHOST": self.dsn.host, "PGPORT": str(self.dsn.port),
            "PGUSER": self.dsn.user, "PGPASSWORD": self.dsn.password, "PGDATABASE": self.dsn.database,
            "PGOPTIONS": quiet,
        }  # fmt: skip
        try:
            done = subprocess.run(
                [str(self.directory / program), *arguments],
                input=text, env=environ, capture_output=True, text=True, check=False, timeout=SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Ran("", f"{program}: not ended after {SECONDS} s")
        failed = done.stderr.strip() or f"{program}: exit code {done.returncode}"
        return Ran(done.stdout, failed if done.returncode else "")

    def psql(self, sql: str, *options: str) -> Ran:
        """Stops at the first error."""
        return self.run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *options, "-f", "-", text=sql)

    def load(self, *scripts: str) -> None:
        """Scripts that the examination itself brings: one that fails is an error in it."""
        for script in scripts:
            failure = self.psql(script).error if script.strip() else ""
            if failure:
                raise Unloadable(failure)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The examination's own questions."""
        with closing(connect(self.dsn)) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def dump(self) -> str:
        ran = self.run("pg_dump", "--schema-only")
        if ran.error:
            raise Unloadable(ran.error)
        return ran.output


class Unloadable(Exception):
    """A schema or rows of the corpus that this server does not take."""


class Server:
    """Close it, or use it as a context manager."""

    def __init__(self, version: int = 0, roles: tuple[str, ...] = ()) -> None:
        self.binaries = binaries.find(version=version)
        self.emulator = Emulator(postgres=self.binaries)
        self._main = Database(self.emulator.main, self.binaries.directory)
        for role in (*ROLES, *roles):
            self._main.rows(f'create role "{role}"')
        self.extensions = {row[0] for row in self._main.rows("select name from pg_available_extensions")}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.emulator.close()

    @property
    def major(self) -> int:
        return self.binaries.major

    def database(self, *scripts: str) -> Database:
        """A new one, in which ``scripts`` have been run."""
        name = f"exam_{next(NUMBERS)}"
        self._main.rows(f"create database {name}")
        made = Database(replace(self._main.dsn, database=name), self._main.directory)
        try:
            made.load(*scripts)
        except Unloadable:
            self.drop(made)
            raise
        return made

    def copy(self, database: Database, name: str) -> None:
        """Nobody may be connected to it."""
        self._main.rows(f"create database {name} template {database.dsn.database}")

    def drop(self, *databases: Database) -> None:
        for database in databases:
            self._main.rows(f"drop database if exists {database.dsn.database} with (force)")
