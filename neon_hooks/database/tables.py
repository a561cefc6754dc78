"""The tables of a database with what hangs on them, as facts: sizes, columns, indexes, constraints.

Where catalogue.py makes text to compare, this makes data to judge by. Works on Postgres 14 to 18; what a
role may not read is left unknown.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from neon_hooks.database.connect import Connection
from neon_hooks.database.watchers import SCHEMA
from neon_hooks.facts import Catalogue, Column, Constraint, Index, Table

SMALL = 1 << 20  # bytes; a table below is counted
MOST_COUNTED = 500  # tables

OURS = f"""n.nspname !~ '^pg_' and n.nspname not in ('information_schema', '{SCHEMA}')
    and c.relpersistence <> 't' and c.relkind in ('r', 'p', 'm', 'v', 'f')"""
FROM = f"from pg_class c join pg_namespace n on n.oid = c.relnamespace and {OURS}"
# reltuples is -1 where nobody has counted yet (manual, 51.11).
TABLES = f"""
    select c.oid::bigint, c.oid::regclass::text, c.relkind::text, n.nspname::text, c.relname::text,
      nullif(c.reltuples, -1)::bigint, case when c.relkind in ('r', 'm') then pg_total_relation_size(c.oid) else 0 end,
      case when c.relkind in ('r', 'm') then pg_relation_size(c.oid) end,
      coalesce(pg_relation_filenode(c.oid), 0)::bigint, c.relreplident::text,
      c.relkind in ('r', 'm') and has_table_privilege(c.oid, 'select') and has_schema_privilege(n.oid, 'usage')
        and not row_security_active(c.oid) and (c.relkind = 'r' or c.relispopulated), c.relrowsecurity
    {FROM}"""
COLUMNS = f"""
    select c.oid::bigint, a.attnum::int, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
      case when a.attidentity <> '' then 'identity' else coalesce(pg_get_expr(d.adbin, d.adrelid), '') end
    {FROM} join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum order by 1, 2"""
INDEXES = f"""
    select c.oid::bigint, i.indexrelid::bigint, i.indexrelid::regclass::text, i.indisvalid, i.indisunique,
      i.indisprimary, (i.indkey::int2[])[0:i.indnkeyatts - 1]::int[], i.indpred is not null,
      case when m.amname = 'btree' and 0 <> all (i.indkey) then array(
        select concat_ws(' ', i.indkey[n], i.indclass[n], i.indcollation[n], i.indoption[n])
        from generate_series(0, i.indnkeyatts - 1) n order by n) end
    {FROM} join pg_index i on i.indrelid = c.oid join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
    order by 1, 2"""
CONSTRAINTS = f"""
    select c.oid::bigint, r.oid::bigint, r.conname::text, r.contype::text, r.convalidated,
      coalesce(r.conkey::int[], '{{}}'), case when r.confrelid = 0 then '' else r.confrelid::regclass::text end,
      pg_get_constraintdef(r.oid)
    {FROM} join pg_constraint r on r.conrelid = c.oid and r.contype <> 't' order by 1, 2"""
DISABLED_TRIGGERS = f"""
    select c.oid::bigint, t.tgname::text {FROM} join pg_trigger t on t.tgrelid = c.oid and t.tgenabled in ('D', 'R')
    order by 1, 2"""
POLICIES = f"select c.oid::bigint, p.polname::text {FROM} join pg_policy p on p.polrelid = c.oid order by 1, 2"
PRIVILEGES = f"""
    select c.oid::bigint, case when a.grantee = 0 then 'PUBLIC' else pg_get_userbyid(a.grantee)::text end, a.privilege_type
    {FROM} cross join aclexplode(c.relacl) a where a.grantee <> c.relowner order by 1, 2, 3"""
NULL_FRACTIONS = f"""
    select s.schemaname::text, s.tablename::text, s.attname::text, s.null_frac::float8 from pg_stats s
    where s.schemaname !~ '^pg_' and s.schemaname not in ('information_schema', '{SCHEMA}') order by s.inherited desc"""
PUBLISHED = "select schemaname::text, tablename::text from pg_publication_tables"
PARTS = "select inhparent::bigint, inhrelid::bigint from pg_inherits"
HANGING = (COLUMNS, INDEXES, CONSTRAINTS, DISABLED_TRIGGERS, POLICIES, PRIVILEGES)  # each row begins with a table's OID
QUERIES = (TABLES, NULL_FRACTIONS, PUBLISHED, PARTS, *HANGING)

Row = tuple[Any, ...]


def catalogue(connection: Connection) -> Catalogue:
    """All tables outside the system's schemas and our own. Raises psycopg.Error."""
    with connection.transaction():
        tables, fractions, published, parts, *hanging = _together(connection, QUERIES)
        rows = _rows(connection, tables)
    children: defaultdict[int, list[int]] = defaultdict(list)
    for parent, child in parts:
        children[parent].append(child)
    sizes = {row[0]: row[6] for row in tables}
    null_fractions = {(schema, table, column): share for schema, table, column, share in fractions}
    by_table = [_grouped(group) for group in hanging]
    sent = {tuple(name) for name in published}
    made = {}
    for oid, name, kind, schema, table, _, _, _, filenode, replica_identity, _, row_security in tables:
        columns, indexes, constraints, triggers, policies, privileges = (group[oid] for group in by_table)
        leaves = list(_leaves(oid, children)) if kind == "p" else [oid]
        made[oid] = Table(
            oid=oid,
            name=name,
            kind=kind,
            rows=_sum(rows.get(leaf) for leaf in leaves),
            bytes=sum(sizes.get(leaf, 0) for leaf in leaves),
            filenode=filenode,
            columns=tuple(replace(Column(*row), null_fraction=null_fractions.get((schema, table, row[1]))) for row in columns),
            indexes=tuple(_index(*row) for row in indexes),
            constraints=tuple(_constraint(*row) for row in constraints),
            published=(schema, table) in sent,
            replica_identity=replica_identity,
            disabled_triggers=tuple(row[0] for row in triggers),
            row_security=row_security,
            policies=tuple(row[0] for row in policies),
            privileges=tuple((role, privilege) for role, privilege in privileges),
        )
    return Catalogue(made, connection.info.server_version)


def _together(connection: Connection, queries: Iterable[str]) -> list[list[Row]]:
    """One round trip for all."""
    with connection.pipeline():
        # So that every name is printed with its schema.
        connection.execute("set local search_path to pg_catalog")
        cursors = [connection.execute(query.encode()) for query in queries]
        return [cursor.fetchall() for cursor in cursors]


def _rows(connection: Connection, tables: list[Row]) -> Mapping[int, int | None]:
    """How many rows: counted in small tables, else by the last ANALYZE, else what the planner believes."""
    known = {oid: rows for oid, _, _, _, _, rows, *_ in tables}
    readable = [(row[0], row[1], row[5], row[7]) for row in tables if row[10]]
    small = [(oid, name) for oid, name, _, size in readable if size < SMALL][:MOST_COUNTED]
    unknown = [(oid, name) for oid, name, rows, size in readable if rows is None and size >= SMALL]
    # `only`, as the children of a table are tables of their own here; a materialized view has none.
    counts = " union all ".join(f"select {oid}::bigint, count(*) from only {name}" for oid, name in small)
    plans = [f"explain (format json) select from only {name}" for _, name in unknown]
    answers = _together(connection, [counts, *plans] if counts else plans)
    counted: dict[int, int | None] = {oid: count for oid, count in answers.pop(0)} if counts else {}
    planned = {oid: _plan_rows(answer) for (oid, _), answer in zip(unknown, answers, strict=True)}
    return {**known, **planned, **counted}


def _plan_rows(answer: list[Row]) -> int:
    plan = answer[0][0]
    found = json.loads(plan) if isinstance(plan, str) else plan
    return int(found[0]["Plan"]["Plan Rows"])


def _index(
    oid: int, name: str, valid: bool, unique: bool, primary: bool, columns: list[int], partial: bool, keys: list[str] | None
) -> Index:
    return Index(oid, name, valid, unique, primary, tuple(columns), partial, tuple(keys or ()))


def _constraint(
    oid: int, name: str, kind: str, validated: bool, columns: list[int], references: str, definition: str
) -> Constraint:
    return Constraint(oid, name, kind, validated, tuple(columns), references, definition)


def _grouped(rows: Iterable[Row]) -> defaultdict[int, list[Row]]:
    """By the table's OID, which is the first column and is left out."""
    groups: defaultdict[int, list[Row]] = defaultdict(list)
    for oid, *rest in rows:
        groups[oid].append(tuple(rest))
    return groups


def _leaves(oid: int, children: Mapping[int, list[int]]) -> Iterator[int]:
    """The tables that hold the rows of a partitioned one. An index has its own parents, which nobody asks for."""
    for child in children.get(oid, ()):
        yield from _leaves(child, children) if child in children else (child,)


def _sum(numbers: Iterable[int | None]) -> int | None:
    """None where one of them is."""
    known = list(numbers)
    return None if any(number is None for number in known) else sum(number or 0 for number in known)
