"""Statements tried in a transaction that may go on without them, and what they would take away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from neon_hooks.database.connect import Connection
from neon_hooks.database.execute import database_error
from neon_hooks.facts import DatabaseError

# Values that somebody stored: what is generated can be generated again, and a partition's parent has none.
COLUMNS = """
    select c.oid::int8, a.attnum::int4, n.nspname::text, c.relname::text, a.attname::text, not a.attnotnull,
      format_type(a.atttypid, a.atttypmod), quote_ident(n.nspname) || '.' || quote_ident(c.relname), quote_ident(a.attname),
      coalesce((select quote_ident(m.nspname) || '.' || quote_ident(r.relname) from pg_class r join pg_namespace m on m.oid = r.relnamespace
                where r.oid = pg_partition_root(c.oid)), '')
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by 1, 2"""
# Columns of a type, or of arrays of it: the table, the column, the brackets, whether there is a default.
USERS = """
    select c.oid::regclass::text, quote_ident(a.attname), case when a.atttypid = t.oid then '' else '[]' end, a.atthasdef
    from pg_type t join pg_attribute a on a.atttypid in (t.oid, t.typarray) join pg_class c on c.oid = a.attrelid
    where t.oid = to_regtype(%s) and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
      and (a.attislocal or a.attinhcount = 0) and a.attgenerated = '' order by c.oid, a.attnum"""
COLLATED = """
    select c.oid::regclass::text, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod)
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where a.attcollation = to_regcollation(%s) and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
      and (a.attislocal or a.attinhcount = 0) and a.attgenerated = '' order by c.oid, a.attnum"""
# Whether one type can hold less than another of the same category (strings, numbers, dates, bits), which casts do not say.
SAME_CATEGORY = """
    select count(distinct typcategory) = 1 and min(typcategory::text) in ('S', 'N', 'D', 'V') from pg_type
    where oid in (to_regtype(%s), to_regtype(%s))"""
# Every name that a table or an index has, and what can be changed gently of them: those of ordinary tables.
RELATIONS = """
    select n.nspname::text, c.relname::text, case when c.relkind = 'r' then 'table'
      when c.relispartition or t.relkind is distinct from 'r' then ''
      when exists (select from pg_constraint r where r.conindid = c.oid and r.conrelid = i.indrelid) then 'key' else 'index' end
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
      left join pg_index i on i.indexrelid = c.oid left join pg_class t on t.oid = i.indrelid
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"""
# Of every partitioned table those right below it.
PARTITIONS = """
    select n.nspname::text, t.relname::text, array_agg(m.nspname::text order by c.oid), array_agg(c.relname::text order by c.oid)
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace m on m.oid = c.relnamespace
      join pg_class t on t.oid = i.inhparent join pg_namespace n on n.oid = t.relnamespace
    where t.relkind = 'p' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' group by t.oid, 1, 2"""
# Sequences, each with the columns of whole numbers that it fills: as their identity, or by their default.
SEQUENCES = """
    select s.oid::int8, quote_ident(n.nspname) || '.' || quote_ident(s.relname), q.seqincrement > 0,
        coalesce(quote_ident(m.nspname) || '.' || quote_ident(t.relname), ''), coalesce(quote_ident(a.attname), ''), coalesce(a.attnum, 0)::int4,
        coalesce(nullif(array(select p.relid::oid::int8 from pg_partition_tree(t.oid) p), '{}'), array[t.oid::int8])
    from pg_class s join pg_namespace n on n.oid = s.relnamespace join pg_sequence q on q.seqrelid = s.oid
    left join (
        select d.objid, d.refobjid, d.refobjsubid from pg_depend d
        where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype = 'i' and d.refobjsubid > 0
        union select d.refobjid, e.adrelid, e.adnum from pg_depend d join pg_attrdef e on e.oid = d.objid
        where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass
    ) f(sequence, filled, number) on f.sequence = s.oid
    left join pg_attribute a on a.attrelid = f.filled and a.attnum = f.number and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
    left join pg_class t on t.oid = a.attrelid and t.relkind in ('r', 'p') left join pg_namespace m on m.oid = t.relnamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 2, 4, 5"""
# Views that read a table, the ones that read those views first.
READERS = """
    with recursive reader(oid, depth) as (
        select r.ev_class, 1 from pg_depend d join pg_rewrite r on r.oid = d.objid
        where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = %s::regclass
          and r.ev_class <> d.refobjid
        union select r.ev_class, v.depth + 1 from reader v join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = v.oid
        join pg_rewrite r on r.oid = d.objid where d.classid = 'pg_rewrite'::regclass and r.ev_class <> v.oid)
    select 'DROP ' || case c.relkind when 'm' then 'MATERIALIZED ' else '' end || 'VIEW ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join reader v on v.oid = c.oid where c.relkind in ('v', 'm')
    group by c.relkind, n.nspname, c.relname order by max(v.depth) desc"""


@dataclass(frozen=True, order=True)
class Stored:
    """A column that holds values, of the table that had this OID. ``of`` and ``named`` are as definitions name them.

    ``root``: whose partition the table is, or "".
    """

    oid: int
    number: int
    schema: str
    table: str
    column: str
    nullable: bool
    type: str
    of: str
    named: str
    root: str = ""


@dataclass(frozen=True)
class Numbering:
    """A sequence, and one column that it fills; names are quoted, "" for none. ``tables``: OIDs, with those of its partitions."""

    oid: int
    sequence: str
    ascending: bool
    table: str
    column: str
    number: int
    tables: Sequence[int]


def attempt(connection: Connection, statements: Iterable[str]) -> DatabaseError | None:
    """Run all of them, or none: the transaction goes on either way. Returns what stopped them."""
    try:
        with connection.transaction():
            for statement in statements:
                connection.execute(statement.encode())
    except psycopg.Error as error:
        return database_error(error)
    return None


@contextmanager
def rolled_back(connection: Connection) -> Iterator[None]:
    """A transaction that leaves nothing behind."""
    with connection.transaction(force_rollback=True):
        yield


def stored(connection: Connection) -> Sequence[Stored]:
    return [Stored(*row) for row in connection.execute(COLUMNS.encode())]


def tables(connection: Connection) -> Mapping[str, int]:
    """The OID of each table by its quoted name, partitioned ones too."""
    query = """select quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.oid::int8
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'f')"""
    return dict(connection.execute(query.encode()).fetchall())


def numberings(connection: Connection) -> Sequence[Numbering]:
    return [Numbering(*row) for row in connection.execute(SEQUENCES.encode())]


def relations(connection: Connection, kind: str = "") -> frozenset[tuple[str, str]]:
    """(schema, name) of those of one kind: "table", "index", "key" (the index of a constraint); of all without one."""
    return frozenset(row[:2] for row in connection.execute(RELATIONS.encode()) if kind in ("", row[2]))


def partitions(connection: Connection) -> Mapping[tuple[str, str], Sequence[tuple[str, str]]]:
    """(schema, name) of the partitions right below each partitioned table."""
    found = connection.execute(PARTITIONS.encode())
    return {(schema, table): tuple(zip(schemas, names, strict=True)) for schema, table, schemas, names in found}


def readers(connection: Connection, table: str) -> list[str]:
    """The statements that drop every view of ``table``, a quoted name; [] where there is no such table."""
    if connection.execute("select to_regclass(%s)", (table,)).fetchone() == (None,):
        return []
    return [statement for (statement,) in connection.execute(READERS.encode(), (table,))]


def users(connection: Connection, type: str) -> Sequence[tuple[str, str, str, bool]]:
    """The columns of ``type``, by the names in statements: table, column, "[]" for an array, whether it has a default."""
    with connection.transaction():
        connection.execute("set local search_path to pg_catalog")
        return connection.execute(USERS, (type,)).fetchall()


def collated(connection: Connection, collation: str) -> Sequence[tuple[str, str, str]]:
    """The columns with ``collation``: table, column, type."""
    with connection.transaction():
        connection.execute("set local search_path to pg_catalog")
        return connection.execute(COLLATED, (collation,)).fetchall()


def changed_by_cast(connection: Connection, column: Stored, type: str) -> int:
    """How many values are others once they have been of ``type``: shortened, rounded, without their time of day."""
    try:
        with connection.transaction():
            (comparable,) = connection.execute(SAME_CATEGORY, (column.type, type)).fetchone() or (False,)
            if not comparable:
                return 0
            query = f"select count(*) from only {column.of} where {column.named}::{type}::{column.type} is distinct from {column.named}"
            (count,) = connection.execute(query.encode()).fetchone() or (0,)
            return int(count)
    except psycopg.Error:  # no such cast or comparison, or a type that is not there yet: then the statement itself fails or keeps them
        return 0


def values_in(connection: Connection, columns: Sequence[Stored]) -> Mapping[Stored, int]:
    """How many values are not null in each column; what may not be read counts as one."""
    counts: dict[Stored, int] = {}
    for column in columns:
        query = sql.SQL("select count({}) from only {}").format(
            sql.Identifier(column.column), sql.Identifier(column.schema, column.table)
        )
        try:
            with connection.transaction():
                row = connection.execute(query).fetchone()
            counts[column] = row[0] if row else 0
        except psycopg.Error:
            counts[column] = 1
    return counts
