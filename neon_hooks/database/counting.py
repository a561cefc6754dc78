"""What a statement would take away, from its text, and the query that counts it while it is still there.

Pure: reading SQL needs no server, and the query is text. It follows tokens and not the whole grammar: what it
does not know takes nothing away. DO blocks and functions are not looked into; the event trigger sql_drop tells
afterwards what those dropped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from neon_hooks.sqlreader import Reader
from neon_hooks.sqlscript import split

MOST_TARGETS = 100
# What is larger is not counted, as that would take time out of the tool's own: the estimate must do.
MOST_BYTES = 256 << 20
# Nor is what could run into the session's statement_timeout: cold storage reads more than this.
BYTES_PER_MS = 10_000


@dataclass(frozen=True)
class Target:
    """Rows or values that a statement would take away. Names as the catalogue has them: ``schema`` "" is to be
    looked for along the search_path, ``column`` "" means whole rows, ``relation`` "" all tables of ``schema``.
    ``kind`` is "drop table", "drop schema", "truncate", "drop column" or "change type".
    """

    schema: str
    relation: str
    column: str
    kind: str


@dataclass(frozen=True)
class Counted:
    """``relation`` has its schema. ``values`` are rows, or what is not null in ``column``; None when it was not
    counted, and then the ``estimate`` of the planner's statistics must do (None: there is none).
    """

    relation: str
    column: str
    kind: str
    values: int | None
    estimate: int | None


def would_lose(sql: str) -> tuple[Target, ...]:
    """What the statements in ``sql`` would take away, each thing once."""
    found: dict[Target, None] = {}
    for part in split(sql):
        reader = Reader(part.text) if part.kind == "sql" else None
        for words, read in READERS.items():
            if reader and reader.takes(words):
                found.update(dict.fromkeys(read(reader)))
                break
    return tuple(found)


def _drop_table(reader: Reader) -> Iterator[Target]:
    reader.takes("if exists")
    for schema, name in reader.names():
        yield Target(schema, name, "", "drop table")


def _drop_schema(reader: Reader) -> Iterator[Target]:
    reader.takes("if exists")
    for _, name in reader.names():
        yield Target(name, "", "", "drop schema")


def _truncate(reader: Reader) -> Iterator[Target]:
    reader.takes("table")
    for schema, name in reader.names():
        yield Target(schema, name, "", "truncate")


def _alter_table(reader: Reader) -> Iterator[Target]:
    reader.takes("if exists")
    reader.takes("only")
    schema, name = reader.name()
    reader.mark("*")
    going_on = bool(name)
    while going_on:
        column, kind = _action(reader)
        if column:
            yield Target(schema, name, column, kind)
        going_on = reader.next_action()


def _action(reader: Reader) -> tuple[str, str]:
    """The column that one action of ALTER TABLE takes values from, and how; ("", "") for any other."""
    if reader.takes("drop"):
        if reader.takes("constraint"):
            return "", ""
        reader.takes("column")
        reader.takes("if exists")
        return reader.part(), "drop column"
    if reader.takes("alter"):
        if reader.takes("constraint"):
            return "", ""
        reader.takes("column")
        column = reader.part()
        return (column, "change type") if reader.takes("type") or reader.takes("set data type") else ("", "")
    return "", ""


READERS: dict[str, Callable[[Reader], Iterator[Target]]] = {
    "drop table": _drop_table,
    "drop schema": _drop_schema,
    "truncate": _truncate,
    "alter table": _alter_table,
}

# Counting what only the server can name needs SQL that is put together there, in one query and without a function
# of ours: ts_stat() runs the query it is given, and says which words its tsvectors hold. Here the one word is a
# number. (query_to_xml() would do as well, but not every server is built with libxml.) All names and operators
# are qualified, and what could fail is left uncounted: no privilege, row security, foreign tables, a table that
# another session locks, one that is too large for the time there is.
COUNT = """
select coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(f.relation, f.column_name, f.kind,
  case when f.countable then (select s.word::pg_catalog.int8 from pg_catalog.ts_stat(pg_catalog.format(
    'select (pg_catalog.count(%s)::pg_catalog.text)::pg_catalog.tsvector from %I.%I',
    case when f.column_name operator(pg_catalog.=) '' then '*' else pg_catalog.format('%I', f.column_name) end, f.nspname, f.relname)) s) end,
  case when f.reltuples operator(pg_catalog.>=) 0::pg_catalog.float4
    then pg_catalog.round((f.reltuples::pg_catalog.float8 operator(pg_catalog.*)
      (1::pg_catalog.float8 operator(pg_catalog.-) coalesce(f.null_frac, 0)::pg_catalog.float8))::pg_catalog.numeric) end)
  ), '[]')::pg_catalog.text
from (
  select pg_catalog.format('%I.%I', n.nspname, c.relname) as relation, n.nspname, c.relname, t.column_name, t.kind,
    c.reltuples,
    (select s.null_frac from pg_catalog.pg_stats s where s.schemaname operator(pg_catalog.=) n.nspname
      and s.tablename operator(pg_catalog.=) c.relname and s.attname operator(pg_catalog.=) a.attname limit 1) as null_frac,
    pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select')
      and not pg_catalog.row_security_active(c.oid)
      and not exists (select from pg_catalog.pg_inherits i join pg_catalog.pg_class p
        on p.oid operator(pg_catalog.=) i.inhrelid
        where p.relkind operator(pg_catalog.=) 'f'::pg_catalog."char" and c.relhassubclass)
      and not exists (select from pg_catalog.pg_locks l where l.mode operator(pg_catalog.=) 'AccessExclusiveLock'
        and l.locktype operator(pg_catalog.=) 'relation' and l.pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid())
      and case when c.relhassubclass then pg_catalog.pg_database_size(pg_catalog.current_database())
        else pg_catalog.pg_table_size(c.oid) end operator(pg_catalog.<=)
        least({most_bytes}::pg_catalog.int8, case when b.timeout operator(pg_catalog.>) 0::pg_catalog.float8
          then (b.timeout operator(pg_catalog.*) {bytes_per_second}::pg_catalog.float8)::pg_catalog.int8 end)
      as countable
  from (values {values}) t(schema_name, relation_name, column_name, kind)
  cross join (select extract(epoch from pg_catalog.current_setting('statement_timeout')::pg_catalog.interval)
    ::pg_catalog.float8 as timeout) b
  join pg_catalog.pg_namespace n on t.schema_name operator(pg_catalog.=) '' or n.nspname operator(pg_catalog.=) t.schema_name
  join pg_catalog.pg_class c on c.relnamespace operator(pg_catalog.=) n.oid
    and (t.relation_name operator(pg_catalog.=) '' or c.relname operator(pg_catalog.=) t.relation_name)
    and (t.schema_name operator(pg_catalog.<>) '' or pg_catalog.pg_table_is_visible(c.oid))
    and c.relkind operator(pg_catalog.=) any ('{{r,p}}'::pg_catalog."char"[])
    and (t.relation_name operator(pg_catalog.<>) '' or not c.relispartition)
  left join pg_catalog.pg_attribute a on a.attrelid operator(pg_catalog.=) c.oid
    and a.attnum operator(pg_catalog.>) 0::pg_catalog.int2 and not a.attisdropped
    and a.attname operator(pg_catalog.=) t.column_name
  where t.column_name operator(pg_catalog.=) '' or a.attname is not null) f
"""


def count_sql(targets: Sequence[Target]) -> str:
    """One row, one column of text: see parse_counts(). It has no parameters, and is to be run where the
    statement will be, before it. What does not exist is left out.
    """
    rows = [
        f"({', '.join(map(_text, (t.schema, t.relation, t.column, t.kind)))})" for t in targets[:MOST_TARGETS]
    ]
    if not rows:
        return "select '[]'::pg_catalog.text"
    return COUNT.format(
        most_bytes=MOST_BYTES, bytes_per_second=BYTES_PER_MS * 1000, values=", ".join(rows)
    ).strip()


def parse_counts(text: str) -> tuple[Counted, ...]:
    """What count_sql() answered; () for a text that is not of that form."""
    try:
        return tuple(
            Counted(relation, column, kind, values, None if estimate is None else int(estimate))
            for relation, column, kind, values, estimate in json.loads(text)
        )
    except (ValueError, TypeError):
        return ()


def _text(value: str) -> str:
    """A string constant that means the same whatever standard_conforming_strings is (manual, 4.1.2.2)."""
    return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'::pg_catalog.text"
