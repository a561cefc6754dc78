"""A second, empty database on the same compute, which is dropped afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace

import psycopg

from neon_hooks.database.connect import connect_when_ready
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn

NAME = "neon_hooks_history"


@contextmanager
def empty_database(dsn: Dsn, deadline: Deadline) -> Iterator[Dsn | None]:
    """Where it is; None where the role may not make one."""
    with closing(connect_when_ready(dsn, deadline)) as connection:
        try:
            connection.execute(f"create database {NAME} template template0".encode())
        except psycopg.Error:
            yield None
            return
        try:
            yield replace(dsn, database=NAME)
        finally:
            with suppress(psycopg.Error):  # it goes with the test Neon database branch
                connection.execute(f"drop database {NAME} with (force)".encode())
