"""What a migration leaves unfinished: an INVALID index, a constraint that nobody has validated."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.checks.idioms import Form, advice
from neon_hooks.checks.schema import changes, new_tables
from neon_hooks.checks.sql_text import says
from neon_hooks.checks.wording import Places, shown
from neon_hooks.facts import Facts, Index, Statement, Table, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found

INVALID = Rule(
    id="invalid-index",
    severity=Severity.ERROR,
    condition="After the run there is an INVALID index that the migration has made, or passed over by IF NOT EXISTS.",
    effect="It is never used by a query, never enforced if it is unique, and still slows down every write.",
    fix="DROP INDEX CONCURRENTLY IF EXISTS it before it is created, or REINDEX INDEX CONCURRENTLY it",
    bad="CREATE INDEX CONCURRENTLY IF NOT EXISTS customers_code ON customers (country_code);",
    good="DROP INDEX CONCURRENTLY IF EXISTS customers_code;\n"
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS customers_code ON customers (country_code);",
)
UNVALIDATED = Rule(
    id="unvalidated-constraint",
    severity=Severity.WARNING,
    condition="The push adds a constraint NOT VALID, and nothing in it validates it.",
    effect="Rows that break it stay, and the planner does not rely on it, until somebody remembers.",
    fix="VALIDATE CONSTRAINT it in a later migration of this push, or of the next",
    bad="ALTER TABLE orders ADD CONSTRAINT total_sign CHECK (total >= 0) NOT VALID;",
    good="ALTER TABLE orders ADD CONSTRAINT total_sign CHECK (total >= 0) NOT VALID;\n"
    "ALTER TABLE orders VALIDATE CONSTRAINT total_sign;",
)
RULES = (INVALID, UNVALIDATED)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.after is None:
            continue
        yield from _invalid_indexes(unit)
        yield from _unvalidated(unit)


def _invalid_indexes(unit: UnitFacts) -> Iterator[Finding]:
    assert unit.after is not None
    places = Places(unit)
    before = {i.oid: i.valid for t in (unit.before.tables.values() if unit.before else ()) for i in t.indexes}
    for table in unit.after.tables.values():
        for index in table.indexes:
            if index.valid:
                continue
            statement = places.naming(index.name)
            old = before.get(index.oid) is False
            if old and (statement is None or not says(statement, r"\bIF NOT EXISTS\b")):
                continue  # it was there, and the push has nothing to do with it
            yield _invalid(places, table, index, statement, old)


def _invalid(places: Places, table: Table, index: Index, statement: Statement | None, old: bool) -> Finding:
    """A partitioned table's index is INVALID by design until every partition's is attached."""
    partitioned = table.kind == "p"
    how = "was there already, and IF NOT EXISTS passes over it" if old else "is left behind"
    return found(
        INVALID,
        f"the INVALID index {shown(index.name)} on {shown(table.name)} {how}",
        severity=Severity.WARNING if partitioned else INVALID.severity,
        fix="ALTER INDEX ... ATTACH PARTITION the index of every partition" if partitioned else INVALID.fix,
        **places.found_at(statement),
        evidence={"index": index.name, "table": table.name},
    )


def _unvalidated(unit: UnitFacts) -> Iterator[Finding]:
    """NOT ENFORCED is a decision, not a debt (manual of Postgres 18, CREATE TABLE)."""
    places = Places(unit)
    added = [(change.after, c) for change in changes(unit) if change.after for c in change.new_constraints]
    added += [(table, c) for table in new_tables(unit) for c in table.constraints]
    for table, constraint in added:
        if not constraint.validated and "NOT ENFORCED" not in constraint.definition.upper():
            yield found(
                UNVALIDATED,
                f"the constraint {shown(constraint.name)} on {shown(table.name)} is NOT VALID after this push",
                fix=advice(Form.VALIDATE_LATER, unit.unit.system),
                **places.found_at(places.naming(constraint.name)),
                evidence={"constraint": constraint.name, "table": table.name},
            )
