"""A scratch database beside another one, for what must not touch that: on a test Neon database branch only."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

from psycopg import sql

from neon_hooks.database.connect import connect
from neon_hooks.database.execute import FileRun, run_files
from neon_hooks.dsn import Dsn


@contextmanager
def scratch_database(beside: Dsn) -> Iterator[Dsn]:
    """An empty database on the same compute; gone afterwards."""
    name = sql.Identifier(f"neon_hooks_scratch_{secrets.token_hex(4)}")
    with closing(connect(beside)) as connection:
        connection.execute(sql.SQL("create database {}").format(name))
        try:
            yield replace(beside, database=name.as_string().strip('"'))
        finally:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))


def load(dsn: Dsn, files: Sequence[tuple[str, str]], read: Callable[[str, str], str]) -> FileRun | None:
    """Run the files of a schema; of several, each as one, in any order in which they run. Returns what failed."""
    waiting = list(files)
    while waiting:
        failed: list[tuple[tuple[str, str], FileRun]] = []
        for file in waiting:
            (run,) = run_files(dsn, [file], read=read, single_transaction=len(files) > 1)
            if run.error:
                failed.append((file, run))
        if len(failed) == len(waiting):
            return failed[0][1]
        waiting = [file for file, _ in failed]
    return None
