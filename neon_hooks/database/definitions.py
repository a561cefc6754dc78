"""Every object of a database as a definition: what it is, how it is made, altered and dropped.

Where catalogue.py makes text to read and tables.py data to judge by, this makes statements: with them one
schema can be turned into another, object by object. What pg_dump would write on its own line is an object
here: a comment, one privilege, one column's storage. Works on Postgres 14 to 18 (manual, chapter 52).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neon_hooks.database.connect import Connection
from neon_hooks.database.definition_queries import queries


@dataclass(frozen=True)
class Definition:
    """One object. ``text`` is what two equal objects have in common; ``create`` makes it where it is missing.

    ``alter`` makes it so where it is there but different, "" where there is no such statement. ``drop`` takes
    it away. ``create`` "" means: it comes with another object, or we know no statement for it.
    """

    kind: str
    name: str
    text: str
    create: str
    drop: str
    alter: str

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


Definitions = Mapping[tuple[str, str], Definition]


def definitions(connection: Connection) -> Definitions:
    """All objects outside of the system's schemas and of extensions, in an order in which they can be made.

    Works inside of a transaction and leaves its search_path as it was.
    """
    found: dict[tuple[str, str], Definition] = {}
    # One round trip: as a single query they take much longer.
    with connection.pipeline(), connection.transaction():
        before = connection.execute("select current_setting('search_path')").fetchone()
        # So that every name is printed with its schema.
        connection.execute("set local search_path to pg_catalog")
        cursors = [connection.execute(query.encode()) for query in queries(connection.info.server_version)]
        connection.execute("select set_config('search_path', %s, true)", before)
        for cursor in cursors:
            for kind, name, text, create, drop, alter in cursor:
                made = Definition(kind, name, text or "", create or "", drop or "", alter or "")
                found[made.key] = made
    return found
