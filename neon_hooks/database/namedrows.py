"""A connection in the form in which schemainspect, migra's reader, takes one of a driver that it does not know."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from psycopg.rows import namedtuple_row

from neon_hooks.database.connect import connect
from neon_hooks.dsn import Dsn


class NamedRows:
    """What it asks for: ``execute`` with a list of named tuples, and ``connection.server_version``."""

    def __init__(self, dsn: Dsn) -> None:
        self._connection = connect(dsn)
        # It must not be callable: schemainspect tries `connection()` first.
        self.connection = SimpleNamespace(server_version=self._connection.info.server_version)

    def execute(self, query: str, *params: Any) -> list[Any]:
        with self._connection.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(query.encode(), *params).fetchall()

    def close(self) -> None:
        self._connection.close()
