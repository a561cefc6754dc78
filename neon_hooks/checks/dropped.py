"""What a migration takes away: data, counted; what goes with it by CASCADE; other objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict

from neon_hooks.checks.idioms import Form, advice
from neon_hooks.checks.schema import is_bookkeeping, last_part
from neon_hooks.checks.sql_text import says, verb
from neon_hooks.checks.usage import usage
from neon_hooks.checks.wording import Places, amount, listed, shown
from neon_hooks.facts import Dropped, Facts, Statement, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found

DATA = Rule(
    id="data-dropped",
    severity=Severity.ERROR,
    condition="A statement drops a table or column that holds data, or truncates a table.",
    effect="The values are gone, and the deployed code may still use them; a rollback does not bring them back.",
    fix=Form.FORGET,
    bad="ALTER TABLE customers DROP COLUMN email;",
    good="ALTER TABLE customers DROP COLUMN unused;",
)
CASCADED = Rule(
    id="cascaded-drop",
    severity=Severity.WARNING,
    condition="Other objects (views, functions, foreign keys, indexes over several columns) go with a dropped one.",
    effect="They are not named in the migration, and what uses them breaks or becomes slow.",
    fix="drop or change the dependent objects first, by name, and without CASCADE",
    bad="DROP TABLE countries CASCADE;",
    good="ALTER TABLE customers DROP COLUMN unused;",
)
OBJECT = Rule(
    id="object-dropped",
    severity=Severity.WARNING,
    condition="A type, function, schema, extension or the like is dropped and not made again.",
    effect="The deployed code fails where it uses it.",
    fix="drop it in a later migration, when no deployed code uses it any more",
    bad="DROP FUNCTION order_count();",
    good="CREATE OR REPLACE FUNCTION order_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(id) FROM orders';",
)
RULES = (DATA, CASCADED, OBJECT)
MOVES_ROWS = ("DELETE", "UPDATE", "MERGE")  # unbatched-delete looks at those
DEPENDENT = frozenset({"view", "materialized view", "function", "procedure", "aggregate", "foreign table"})
OF_A_TABLE = frozenset({"table constraint", "trigger", "policy"})  # "name on schema.table"
INTERNAL = "RI_ConstraintTrigger"  # what enforces a foreign key, which is named itself
OBJECTS = frozenset(
    {"type", "domain", "function", "procedure", "aggregate", "schema", "extension", "sequence", "operator", "collation"}
)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        places = Places(unit)
        for statement in unit.first.statements if unit.first else ():
            if statement.error is None:
                yield from _data(unit, places, statement)
                yield from _cascaded(unit, places, statement)
                yield from _objects(unit, places, statement)


def _data(unit: UnitFacts, places: Places, statement: Statement) -> Iterator[Finding]:
    lost = [each for each in statement.lost if each.values and not is_bookkeeping(unit, each.relation)]
    if not lost or verb(statement) in MOVES_ROWS:
        return
    rows_only = all(not each.column for each in lost)
    fix = "keep the rows until nothing needs them: rename the table, or copy them first" if rows_only else ""
    yield found(
        DATA,
        f"{places.name(statement)} takes away {listed([amount(each) for each in lost])}"
        f"{usage(unit, places, statement) if statement.dropped else ''}",
        fix=fix or advice(Form.FORGET, unit.unit.system),
        evidence={"statement": statement.sql, "lost": [asdict(each) for each in lost]},
        **places.found_at(statement),
    )


def _cascaded(unit: UnitFacts, places: Places, statement: Statement) -> Iterator[Finding]:
    gone = [each for each in statement.dropped if each.cascaded and _is_dependent(unit, statement, each)]
    if gone:
        yield found(
            CASCADED,
            f"{places.name(statement)} also drops {listed([_said(each) for each in gone])}{usage(unit, places, statement)}",
            evidence={"dropped": [f"{each.kind} {each.identity}" for each in gone]},
            **places.found_at(statement),
        )


def _is_dependent(unit: UnitFacts, statement: Statement, dropped: Dropped) -> bool:
    """Not what belongs to the dropped object itself: its own indexes, constraints, types, defaults, columns."""
    tables = {each.identity for each in statement.dropped if each.kind in ("table", "view", "materialized view")}
    if dropped.kind in OF_A_TABLE:
        name, _, host = dropped.identity.rpartition(" on ")
        return not name.strip('"').startswith(INTERNAL) and host not in tables and not _names(statement, host)
    if dropped.kind == "table column":
        return dropped.identity.rpartition(".")[0] not in tables
    if dropped.kind == "index":
        return _spans_columns(unit, dropped, tables)
    return dropped.kind in DEPENDENT


def _names(statement: Statement, table: str) -> bool:
    return says(statement, rf"\b{re.escape(last_part(table).upper())}\b")


def _spans_columns(unit: UnitFacts, dropped: Dropped, tables: set[str]) -> bool:
    """An index that goes with one of its several columns, and served queries by the others."""
    for table in unit.before.tables.values() if unit.before else ():
        for index in table.indexes:
            if last_part(index.name) == last_part(dropped.identity):
                return table.name not in tables and len(index.columns) > 1
    return False


def _objects(unit: UnitFacts, places: Places, statement: Statement) -> Iterator[Finding]:
    named = [each for each in statement.dropped if not each.cascaded and each.kind in OBJECTS]
    gone = [each for each in named if not _made_again(unit, statement, each)]
    if gone:
        yield found(
            OBJECT,
            f"{places.name(statement)} drops {listed([_said(each) for each in gone])}{usage(unit, places, statement)}",
            evidence={"dropped": [f"{each.kind} {each.identity}" for each in gone]},
            **places.found_at(statement),
        )


def _made_again(unit: UnitFacts, drop: Statement, dropped: Dropped) -> bool:
    name = re.escape(last_part(dropped.identity.partition("(")[0]).upper())
    statements = unit.first.statements if unit.first else ()
    return any(says(s, rf"\bCREATE\b.*\b{name}\b") for s in statements if s.started_ms >= drop.started_ms)


def _said(dropped: Dropped) -> str:
    return f"{dropped.kind} {shown(dropped.identity)}"
