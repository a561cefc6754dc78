"""A new foreign key without an index on its own columns, or of another type than what it refers to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from neon_hooks.checks.idioms import Form, advice
from neon_hooks.checks.schema import changes, column_names, new_tables
from neon_hooks.checks.wording import Places, shown, sized
from neon_hooks.facts import Constraint, Facts, Table, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found

UNINDEXED = Rule(
    id="foreign-key-without-index",
    severity=Severity.WARNING,
    condition="A new foreign key of a large table has no index that begins with its columns (a note for smaller ones).",
    effect="Each DELETE, and each UPDATE of the key, in the table that it refers to reads this whole table.",
    fix=Form.CREATE_INDEX,
    bad="ALTER TABLE order_lines ADD CONSTRAINT line_order FOREIGN KEY (order_id) REFERENCES orders (id) NOT VALID;",
    good="CREATE INDEX CONCURRENTLY line_order_index ON order_lines (order_id);\n"
    "ALTER TABLE order_lines ADD CONSTRAINT line_order FOREIGN KEY (order_id) REFERENCES orders (id) NOT VALID;",
)
MISMATCHED = Rule(
    id="foreign-key-type-mismatch",
    severity=Severity.WARNING,
    condition="A new foreign key's column has another type than the column that it refers to.",
    effect="Comparing them may pass an index by; an integer runs out long before the bigint that it refers to.",
    fix="give the column the type of the column that it refers to",
    bad="CREATE TABLE refunds (id bigint PRIMARY KEY, order_id int REFERENCES orders (id));",
    good="CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id));",
)
RULES = (UNINDEXED, MISMATCHED)
REFERENCES = re.compile(r"\bREFERENCES\s+[^(]+\(([^)]*)\)", re.IGNORECASE)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        added = [(change.after, c) for change in changes(unit) if change.after for c in change.new_constraints]
        added += [(table, c) for table in new_tables(unit) for c in table.constraints]
        places = Places(unit)
        tables = {table.name: table for table in unit.after.tables.values()} if unit.after else {}
        for table, constraint in added:
            if constraint.kind == "f":
                where = places.found_at(places.naming(constraint.name) or places.naming(table.name))
                yield from _unindexed(unit, table, constraint, facts.limits.large_table, where)
                yield from _mismatched(tables.get(constraint.references), table, constraint, where)


def _unindexed(
    unit: UnitFacts, table: Table, constraint: Constraint, large: int, where: Mapping[str, Any]
) -> Iterator[Finding]:
    wanted = set(constraint.columns)
    if any(set(index.columns[: len(wanted)]) == wanted and not index.partial for index in table.indexes):
        return
    columns = column_names(table, constraint.columns)
    yield found(
        UNINDEXED,
        f"the foreign key {shown(constraint.name)} of {sized(table.name, table.rows)} has no index on"
        f" ({', '.join(columns)})",
        severity=UNINDEXED.severity if (table.rows or 0) >= large else Severity.NOTE,
        fix=advice(Form.CREATE_INDEX, unit.unit.system, table=table.name, columns=columns),
        evidence={"table": table.name, "columns": list(columns), "rows": table.rows},
        **where,
    )


def _mismatched(
    target: Table | None, table: Table, constraint: Constraint, where: Mapping[str, Any]
) -> Iterator[Finding]:
    match = REFERENCES.search(constraint.definition)
    if target is None or match is None:
        return
    types = {column.name: column.type for column in target.columns}
    own = {column.number: column for column in table.columns}
    for number, name in zip(constraint.columns, match[1].replace('"', "").split(","), strict=False):
        column, other = own.get(number), types.get(name.strip())
        if column and other and column.type != other:
            yield found(
                MISMATCHED,
                f"`{table.name.removeprefix('public.')}.{column.name}` is {column.type}, and refers to"
                f" {shown(target.name)} ({name.strip()}), which is {other}",
                evidence={"table": table.name, "column": column.name, "type": column.type, "referenced_type": other},
                **where,
            )
