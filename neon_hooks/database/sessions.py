"""The sessions of others in a database that is ours alone: holding them up, and ending them.

A copy of production is nobody else's, so every session of our role that is not our own is the tool's. Sessions are
known by role and database, and not by their process id: Neon's proxy tells clients another one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

from neon_hooks.database.connect import Connection

PAUSE = 0.02  # seconds between two looks
OTHERS = """from pg_stat_activity where usename = current_user and datname = current_database()
    and pid <> pg_backend_pid() and backend_type = 'client backend'"""


def hold_up(connection: Connection, tables: Iterable[str]) -> None:
    """Begin a transaction for which every CONCURRENTLY on ``tables`` waits after its first step (manual, CREATE
    INDEX, "Building Indexes Concurrently"). Names as SQL has them; those that are not there are passed over.
    """
    connection.execute("begin")
    for table in tables:
        connection.execute("savepoint one")
        try:
            connection.execute(sql.SQL("lock table {} in row exclusive mode nowait").format(sql.SQL(table)))
        except psycopg.Error:
            connection.execute("rollback to savepoint one")


def is_held_up(connection: Connection, is_running: Callable[[], bool]) -> bool:
    """Whether a session comes to wait for the end of another one's transaction, while ``is_running``."""
    while is_running():
        if _now(connection, f"select {OTHERS} and wait_event = 'virtualxid'"):
            return True
        time.sleep(PAUSE)
    return False


def end_others(connection: Connection, seconds: float) -> None:
    """End every other session, and return when they are gone, or after ``seconds``."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(psycopg.errors.InsufficientPrivilege):
            if not _now(connection, f"select pg_terminate_backend(pid) {OTHERS}"):
                return
        time.sleep(PAUSE)


def _now(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    """A transaction sees the sessions as they were when it first looked (manual, "Viewing Statistics")."""
    connection.execute("select pg_stat_clear_snapshot()")
    return connection.execute(query.encode()).fetchall()
