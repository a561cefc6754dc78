"""Checksums of what a migration has no business to change.

For every table that main has and that is still wanted: the number of its rows; one checksum over the columns
whose type stays; and for those whose type changes, how many values they have. A composite type changes with
its attributes. Generated columns follow from others and do not count. A partition is looked at by itself, as
it may come and go with its rows.

And of every sequence: that it does not go back, and does not hand out numbers that a column has already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from tests.exam.postgres import Database

COLUMNS = """
select format('%I.%I', n.nspname, c.relname), c.relkind, quote_ident(a.attname),
    format_type(a.atttypid, a.atttypmod) || coalesce((
        select string_agg(format(' %I %s', x.attname, format_type(x.atttypid, x.atttypmod)), ',' order by x.attnum)
        from pg_type t join pg_attribute x on x.attrelid = t.typrelid and x.attnum > 0 and not x.attisdropped
        where t.oid = a.atttypid and t.typtype = 'c'), ''), a.attgenerated <> '',
    (select format('%I.%I', m.nspname, r.relname) from pg_class r join pg_namespace m on m.oid = r.relnamespace
        where r.oid = pg_partition_root(c.oid))
from pg_class c join pg_namespace n on n.oid = c.relnamespace
    left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
order by 1, a.attnum
"""


@dataclass(frozen=True)
class Column:
    table: str
    name: str
    type: str
    generated: bool
    root: str | None  # whose partition the table is, or itself


@dataclass(frozen=True)
class Tables:
    """``partitioned``: those whose rows lie in others."""

    names: frozenset[str]
    partitioned: frozenset[str]
    columns: tuple[Column, ...]


def tables(database: Database) -> Tables:
    found = database.rows(COLUMNS)
    return Tables(
        frozenset(row[0] for row in found),
        frozenset(row[0] for row in found if row[1] == "p"),
        tuple(Column(*row[:1], *row[2:]) for row in found if row[2]),
    )


@dataclass(frozen=True)
class Kept:
    """What has to be the same afterwards, by the new names and the old ones."""

    new_table: str
    old_table: str
    same: tuple[tuple[str, str], ...]
    retyped: tuple[tuple[str, str], ...]


def kept(before: Tables, wanted: Tables, renames: Mapping[str, str]) -> list[Kept]:
    """``renames``: new name -> old name, as the developer states them."""
    types = {(column.table, column.name): column for column in before.columns}
    found = []
    for table in sorted(wanted.names):
        old_table = renames.get(table, table)
        if old_table not in before.names or old_table in before.partitioned:
            continue
        same: list[tuple[str, str]] = []
        retyped: list[tuple[str, str]] = []
        for column in wanted.columns:
            if column.table == table and not column.generated:
                stated = _former(column, renames)
                old = types.get((old_table, stated or column.name))
                if old and not old.generated:
                    (same if old.type == column.type else retyped).append((column.name, old.name))
        found.append(Kept(table, old_table, tuple(same), tuple(retyped)))
    return found


def _former(column: Column, renames: Mapping[str, str]) -> str:
    """The old name, where one is stated: for a partition at the table that it is a part of."""
    stated = (renames.get(f"{table}.{column.name}", "") for table in (column.table, column.root))
    return next(filter(None, stated), "").rpartition(".")[2]


def checksums(database: Database, to_keep: list[Kept], *, afterwards: bool) -> dict[str, str]:
    """By the wanted name of the table. What cannot be read any more has no checksum."""
    sums = {}
    partitioned = tables(database).partitioned
    for each in to_keep:
        place = 0 if afterwards else 1
        table = each.new_table if afterwards else each.old_table
        row = ", ".join(pair[place] for pair in each.same)
        counts = "".join(f", count({pair[place]})" for pair in each.retyped)
        whole = f"sum(hashtextextended(row({row})::text, 0))"
        only = "" if table in partitioned else "only"
        try:
            sums[each.new_table] = str(database.rows(f"select count(*), {whole}{counts} from {only} {table}"))
        except psycopg.Error as error:  # a table or a column that is not there
            sums[each.new_table] = str(error)
    return sums


def is_empty(checksum: str) -> bool:
    return checksum.startswith("[(0,")


def vanishing(database: Database, before: Tables, wanted: Tables, renames: Mapping[str, str]) -> list[str]:
    """Tables and columns that hold values now and are not wanted any more."""
    stay = {renames.get(table, table): table for table in wanted.names}
    columns = {
        (renames.get(c.table, c.table), _former(c, renames) or c.name)
        for c in wanted.columns
    }
    gone = []
    for table in sorted(before.names - before.partitioned):
        if table not in stay:
            counted = database.rows(f"select count(*) from only {table}")
            gone += [table] if counted != [(0,)] else []
            continue
        for column in before.columns:
            if column.table == table and not column.generated and (table, column.name) not in columns:
                counted = database.rows(f"select count({column.name}) from only {table}")
                gone += [f"{table}.{column.name}"] if counted != [(0,)] else []
    return gone


SEQUENCES = "select schemaname, sequencename, increment_by > 0 from pg_sequences"
FILLED = """
select format('%I.%I', n.nspname, c.relname), quote_ident(a.attname), pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname)
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and a.attnum > 0 and not a.attisdropped and a.atttypid in (20, 21, 23)
    and pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname) is not null
"""


def counters(database: Database) -> dict[str, int]:
    """By name: the last number of each ascending sequence, 0 before the first."""
    found = {}
    for schema, name, ascending in database.rows(SEQUENCES):
        quoted = f'"{schema}"."{name}"'
        if ascending:
            ((last, called),) = database.rows(f"select last_value, is_called from {quoted}")
            found[f"{schema}.{name}"] = last if called else last - 1
    return found


def collisions(database: Database) -> set[str]:
    """Columns that have, or are past, the next number of their sequence."""
    found = set()
    for table, column, sequence in database.rows(FILLED):
        asked = f"select max({column}) > case when is_called then last_value else last_value - 1 end from {table}, {sequence} group by last_value, is_called"
        if database.rows(asked) == [(True,)]:
            found.add(f"{table}.{column}")
    return found
