"""Copies of tables, to compare with what becomes of their rows. Temporary tables of a session that stays open: no
tool sees them, and they are gone with it (manual, CREATE TABLE).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import sql

from neon_hooks.database.connect import Connection
from neon_hooks.facts import Catalogue, ChangedColumn, Column, Contents, Lost, Table


@dataclass(frozen=True)
class Copies:
    """``tables`` as they were when they were copied."""

    connection: Connection
    tables: tuple[Table, ...]

    def compared(self, now: Catalogue, *, by_name: bool) -> tuple[tuple[Contents, ...], frozenset[str]]:
        """What is different in the copied tables, one query each, and the names of those that were compared.

        Columns are the same by number, which outlives a renaming; ``by_name`` where they were made anew. Tables
        that are gone, or whose key is, are left out.
        """
        found, names = [], set()
        for table in self.tables:
            after = now.named(table.name) if by_name else now.tables.get(table.oid)
            if after and set(_key(table)) <= {column.name for column in after.columns}:
                with suppress(psycopg.Error):  # a session that was ended, a type that is gone
                    found.append(_compared(self.connection, table, after, by_name))
                    names.add(table.name)
        return tuple(each for each in found if each.missing or each.added or each.columns), frozenset(names)


def copied(connection: Connection, tables: Iterable[Table]) -> Copies:
    """Tables without a primary key are left out, as nothing says which row is which; and those that cannot be read."""
    kept = []
    for table in tables:
        if table.kind == "r" and _key(table):
            query = sql.SQL("create temp table {} as select * from only {}")
            with suppress(psycopg.Error):
                connection.execute(query.format(_copy(table), sql.SQL(table.name)))
                kept.append(table)
    return Copies(connection, tuple(kept))


def filled(connection: Connection, places: Sequence[tuple[str, str]]) -> tuple[Lost, ...]:
    """How many values the columns hold; for a column "" the rows. Names of tables as SQL has them; () where they
    cannot be read.
    """
    if not places:
        return ()
    counts = [
        sql.SQL("select {}, {}, (select count({}) from {})").format(
            sql.Literal(table), sql.Literal(column), sql.Identifier(column) if column else sql.SQL("*"), sql.SQL(table)
        )
        for table, column in places
    ]
    try:
        rows = connection.execute(sql.SQL(" union all ").join(counts)).fetchall()
    except psycopg.Error:
        return ()
    return tuple(Lost(table, column, values) for table, column, values in rows if values)


def _compared(connection: Connection, table: Table, after: Table, by_name: bool) -> Contents:
    now = {(c.name if by_name else c.number): c for c in after.columns}
    pairs = [(c, now[k]) for c in table.columns if (k := c.name if by_name else c.number) in now]
    try:
        return _counted(connection, table, after, pairs, back=True)
    except psycopg.DataError:  # a value of the new type that the old one does not know
        return _counted(connection, table, after, pairs, back=False)


def _counted(
    connection: Connection, table: Table, after: Table, pairs: Sequence[tuple[Column, Column]], *, back: bool
) -> Contents:
    """``back``: what has another type is the same if it is so in the old one: 1.50 is 1.5."""
    differs = [
        sql.SQL("count(*) filter (where n.{key} is not null and {old} is distinct from {new})").format(
            key=sql.Identifier(_key(table)[0]),
            old=sql.SQL("o.{}::text").format(sql.Identifier(old.name)),
            new=sql.SQL("n.{}::text{}").format(
                sql.Identifier(new.name), sql.SQL(f"::{old.type}::text" if back and old.type != new.type else "")
            ),
        )
        for old, new in pairs
    ]
    same_row = sql.SQL(" and ").join(
        sql.SQL("o.{0}::text = n.{0}::text").format(sql.Identifier(name)) for name in _key(table)
    )
    query = sql.SQL(
        "select count(*), count(*) filter (where n.{key} is null), (select count(*) from only {after}), {differs}"
        " from {copy} o left join only {after} n on {same_row}"
    ).format(
        key=sql.Identifier(_key(table)[0]), after=sql.SQL(after.name), copy=_copy(table), same_row=same_row,
        differs=sql.SQL(", ").join(differs),
    )  # fmt: skip
    row = connection.execute(query).fetchone()
    assert row
    rows, missing, rows_now, *changed = row
    columns = tuple(
        ChangedColumn(old.name, count, old.type, new.type)
        for (old, new), count in zip(pairs, changed, strict=True)
        if count
    )
    return Contents(table.name, rows, missing, rows_now - (rows - missing), columns)


def _copy(table: Table) -> sql.Identifier:
    return sql.Identifier("pg_temp", f"neon_hooks_{table.oid}")


def _key(table: Table) -> tuple[str, ...]:
    names = {column.number: column.name for column in table.columns}
    primary = next((index for index in table.indexes if index.primary), None)
    return tuple(names[number] for number in primary.columns if number in names) if primary else ()

