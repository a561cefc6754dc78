"""What a database holds: the bookkeeping of a migration tool, and its schema as comparable lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import unified_diff

from psycopg import sql

from neon_hooks.database.catalogue import QUERIES
from neon_hooks.database.connect import Connection
from neon_hooks.facts import Refused
from neon_hooks.plan import Bookkeeping, Refusal

FIND_TABLE = """
    select n.nspname, c.relname
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relname = %s and c.relkind in ('r', 'p') and n.nspname = coalesce(%s, n.nspname)
      and n.nspname !~ '^pg_'
    order by 1
"""


def recorded(connection: Connection, bookkeeping: Bookkeeping) -> Mapping[str, str] | None:
    """The ids that a tool has recorded, each with its checksum or ""; None when it has no table yet."""
    tables = connection.execute(FIND_TABLE, (bookkeeping.table, bookkeeping.schema)).fetchall()
    if not tables:
        return None
    found: dict[str, str] = {}
    for schema, table in tables:
        # The expressions are constants of the system's own file, or one that the settings have checked.
        query = sql.SQL("select ({})::text, ({})::text from {} as entry").format(
            sql.SQL(bookkeeping.id_sql), sql.SQL(bookkeeping.checksum_sql or "''"), sql.Identifier(schema, table)
        )
        found |= {id: checksum or "" for id, checksum in connection.execute(query) if id is not None}
    return found


def bookkeeping_rows(connection: Connection, bookkeeping: Bookkeeping) -> frozenset[str] | None:
    """The ids alone."""
    found = recorded(connection, bookkeeping)
    return None if found is None else frozenset(found)


def refused(connection: Connection, refusals: Iterable[Refusal]) -> tuple[Refused, ...]:
    """The rows because of which a tool would refuse to work."""
    found = []
    for each in refusals:
        for schema, table in connection.execute(FIND_TABLE, (each.table, each.schema)).fetchall():
            # The expression is a constant of the system's own file.
            query = sql.SQL("select named from {} as entry, lateral (select ({})::text) name(named) where named is not null")
            rows = connection.execute(query.format(sql.Identifier(schema, table), sql.SQL(each.name_sql)))
            found += [Refused(table, name, each.repair.replace("{name}", name), each.is_lock) for (name,) in rows]
    return tuple(found)


def release(connection: Connection, refusals: Iterable[Refusal]) -> None:
    """Let the tool's locks go, as its own command does."""
    for each in (refusal for refusal in refusals if refusal.release):
        for schema, table in connection.execute(FIND_TABLE, (each.table, each.schema)).fetchall():
            # The statement is a constant of the system's own file.
            connection.execute(sql.SQL(each.release).format(table=sql.Identifier(schema, table)))


def schema_lines(connection: Connection) -> tuple[str, ...]:
    """Every object of every schema but the system's, one or more lines each, in a fixed order.

    One round trip, with a query per kind of object: as a single query they take five times as long.
    """
    with connection.pipeline(), connection.transaction():
        # So that every name is printed with its schema.
        connection.execute("set local search_path to pg_catalog")
        cursors = [connection.execute(query.encode()) for query in QUERIES]
        texts = sorted(text for cursor in cursors for (text,) in cursor if text is not None)
    return tuple(line.rstrip() for text in texts for line in text.splitlines())


def difference(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    """What was taken away (``-``) and what came (``+``), "" when both are the same."""
    lines = list(unified_diff(before, after, n=0, lineterm=""))[2:]
    return "\n".join(line for line in lines if not line.startswith("@@ "))
