"""What a table no longer promises: constraints and NOT NULLs that are gone and that nothing replaces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from neon_hooks.checks.schema import changes, column_names
from neon_hooks.checks.wording import Places, shown
from neon_hooks.facts import Constraint, Facts, Table
from neon_hooks.findings import Finding, Rule, Severity, found

CONSTRAINT = Rule(
    id="constraint-dropped",
    severity=Severity.WARNING,
    condition="A constraint of an existing table is gone, and nothing in its place demands the same.",
    effect="Rows that it kept out can come in, and all of them have to be checked before it can come back.",
    fix="keep it until no code relies on it; where it only changes, add the new one NOT VALID and validate it first",
    bad="ALTER TABLE customers DROP CONSTRAINT customers_country;",
    good="ALTER TABLE orders ADD CONSTRAINT note_given CHECK (total >= 0 OR note IS NOT NULL) NOT VALID;\n"
    "ALTER TABLE orders DROP CONSTRAINT note_given;",
)
NOT_NULL = Rule(
    id="not-null-dropped",
    severity=Severity.NOTE,
    condition="A column of an existing table that was NOT NULL can be null now.",
    effect="The deployed code may not expect a null where it reads the column.",
    fix="deploy the code that can read a null before the code that writes one",
    bad="ALTER TABLE customers ALTER COLUMN name DROP NOT NULL;",
    good="ALTER TABLE customers ALTER COLUMN name SET DEFAULT '';",
)
RULES = (CONSTRAINT, NOT_NULL)
KINDS = {"c": "CHECK", "f": "foreign key", "p": "primary key", "u": "unique", "x": "exclusion"}


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        places = Places(unit)
        tables = {table.name for table in unit.after.tables.values()} if unit.after else set()
        for change in changes(unit):
            if change.after is None:
                continue
            for constraint in _gone(change.before, change.after):
                if not constraint.references or constraint.references in tables:
                    yield found(
                        CONSTRAINT,
                        f"the {KINDS[constraint.kind]} constraint {shown(constraint.name)} of {shown(change.after.name)}"
                        f" is gone: {constraint.definition}",
                        evidence={
                            "table": change.after.name,
                            "constraint": constraint.name,
                            "definition": constraint.definition,
                        },
                        **places.found_at(places.naming(constraint.name) or places.naming(change.before.name, r"\bDROP\b")),
                    )
            for before, after in change.columns:
                if after and before.not_null and not after.not_null:
                    yield found(
                        NOT_NULL,
                        f"`{change.after.name.removeprefix('public.')}.{after.name}` can be null now",
                        evidence={"table": change.after.name, "column": after.name},
                        **places.found_at(places.naming(change.before.name, rf"\b{re.escape(before.name.upper())}\b")),
                    )


def _gone(before: Table, after: Table) -> Iterator[Constraint]:
    """Those that no other of their kind on the same columns stands for, and whose columns are all still there."""
    oids = {constraint.oid for constraint in after.constraints}
    there = {(constraint.kind, constraint.columns) for constraint in after.constraints}
    numbers = {column.number for column in after.columns}
    for constraint in before.constraints:
        is_there = constraint.oid in oids or (constraint.kind, constraint.columns) in there
        if constraint.kind in KINDS and not is_there and numbers.issuperset(constraint.columns):
            if not _is_kept_otherwise(after, constraint):
                yield constraint


def _is_kept_otherwise(after: Table, constraint: Constraint) -> bool:
    """By a unique index; by NOT NULL, for which a CHECK was only the way (manual, ALTER TABLE, SET NOT NULL)."""
    columns = set(constraint.columns)
    if constraint.kind in ("p", "u"):
        return any(i.unique and i.valid and not i.partial and set(i.columns) == columns for i in after.indexes)
    names = column_names(after, constraint.columns)
    is_null_check = constraint.definition.replace('"', "").startswith(tuple(f"CHECK (({n} IS NOT NULL))" for n in names))
    return is_null_check and all(c.not_null for c in after.columns if c.number in columns)
