"""INSERTs as short as a table allows, tried and rolled back: what running code has to name, and no more.

The values are those of a row that is there, which meets the table's own constraints and never leaves the server; in
an empty table they are made up. Triggers fire, because some fill columns in. Whether the row would be unique, or
refers to one that exists, does not matter: both are looked at after what does (NOT NULL, manual, 5.5.2).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from neon_hooks.database.connect import Connection
from neon_hooks.database.pipelined import Answer, Step, answers, execute
from neon_hooks.facts import Catalogue, Column, Table

PATIENCE = ("set statement_timeout = '1s'", "set lock_timeout = '1s'")  # for what a trigger may do
AT_ONCE = 50
TAKEN = ("23505", "23503", "23P01")  # unique, foreign key, exclusion: the row itself was good
# Partitions get their rows through the table that they are parts of.
PARTITIONS = "select oid::bigint from pg_class where relispartition"
ENUMS = """
    select distinct on (enumtypid) format_type(enumtypid, null), quote_literal(enumlabel) from pg_enum
    order by enumtypid, enumsortorder"""
# By what format_type() prints in front of a size.
MADE_UP: Mapping[str, str] = {
    **dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision", "money"), "0"),
    **dict.fromkeys(("text", "character varying", "character", "name", "public.citext", "bytea", "tsvector"), "''"),
    **dict.fromkeys(("date", "time", "timestamp", "time without time zone", "timestamp without time zone",
                     "time with time zone", "timestamp with time zone"), "now()"),
    **dict.fromkeys(("json", "jsonb"), "'{}'"),
    **dict.fromkeys(("inet", "cidr"), "'127.0.0.1'"),
    "boolean": "false",
    "interval": "'0'",
    "uuid": "gen_random_uuid()",
}  # fmt: skip

@dataclass(frozen=True)
class Inserts:
    """``statements`` has one for each table that takes rows, by its OID; "" where there is no way to know one: it
    cannot be read, or a value of such a type cannot be made up.
    """

    statements: Mapping[int, str]
    made_up: Mapping[str, str]

    def naming(self, table: Table, more: Collection[str]) -> str:
        """The same, which names ``more`` columns."""
        columns = tuple(replace(c, not_null=True) if c.name in more else c for c in table.columns)
        return _insert(replace(table, columns=columns), self.made_up)


def inserts(connection: Connection, tables: Catalogue, apart: Collection[str]) -> Inserts:
    """``apart`` are names, without schema, of tables that are left out."""
    with connection.transaction(), connection.pipeline():
        connection.execute("set local search_path to pg_catalog")  # names of types as the catalogue has them
        cursors = [connection.execute(query) for query in (PARTITIONS, ENUMS)]
        partitions, enums = (cursor.fetchall() for cursor in cursors)
    parts, made_up = {oid for (oid,) in partitions}, {**MADE_UP, **dict(enums)}
    found = {}
    for oid, table in tables.tables.items():
        bare = table.name.rpartition(".")[2].strip('"')
        if table.kind in ("r", "p") and oid not in parts and bare not in apart:
            found[oid] = _insert(table, made_up)
    return Inserts(found, made_up)


def demanded(table: Table) -> tuple[Column, ...]:
    """What every INSERT has to name."""
    return tuple(column for column in table.columns if column.not_null and not column.default)


def _insert(table: Table, made_up: Mapping[str, str]) -> str:
    """ "" where there is no way to know."""
    needed = demanded(table)
    names = ", ".join(_quoted(column.name) for column in needed)
    if not needed:
        return f"insert into {table.name} default values"
    if table.rows is None:
        return ""
    if table.rows:
        only = "only " if table.kind == "r" else ""
        return f"insert into {table.name} ({names}) select {names} from {only}{table.name} limit 1"
    values = [_value(column.type, made_up) for column in needed]
    return f"insert into {table.name} ({names}) values ({', '.join(values)})" if all(values) else ""


def _value(type: str, made_up: Mapping[str, str]) -> str:
    if type.endswith("[]"):
        return "'{}'"
    name = type.partition("(")[0].strip() + (type.rpartition(")")[2] if "(" in type else "")
    return made_up.get(name, "")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def tried(connection: Connection, statements: Sequence[str], seconds: float = 10.0) -> list[Answer]:
    """What each does, in a transaction of its own that is rolled back. Raises Disconnected.

    Those for which there is no time, as the triggers of others have taken it, are not taken.
    """
    until = time.monotonic() + seconds
    found: list[Answer] = []
    while len(found) < len(statements):
        rounds: list[tuple[Step, ...]] = [(execute(setting),) for setting in PATIENCE]
        for statement in statements[len(found) : len(found) + AT_ONCE]:
            rounds += [(execute("begin"), execute(statement)), (execute("rollback"),)]
        found += answers(connection, rounds)[len(PATIENCE) :: 2]
        if time.monotonic() > until:
            found += [Answer()] * (len(statements) - len(found))
    return found


def was_taken(answer: Answer) -> bool:
    """Whether the table has taken the row, as far as its columns go."""
    return answer.error.sqlstate in TAKEN if answer.error else answer.rows > 0
