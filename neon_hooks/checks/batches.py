"""Many rows changed by one statement: all of them stay locked until it is committed."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.checks.blocking import under_lock
from neon_hooks.checks.idioms import Form, advice
from neon_hooks.checks.schema import is_bookkeeping, new_tables
from neon_hooks.checks.sql_text import says, target, verb
from neon_hooks.checks.wording import Places, duration, quoted, shown
from neon_hooks.facts import Facts, Statement, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, counted, found

EFFECT = (
    "The rows stay locked until it is committed; dead rows, WAL and replication pile up behind one long transaction."
)
UPDATE = Rule(
    id="unbatched-update",
    severity=Severity.ERROR,
    condition="One UPDATE changes more rows than `batch`.",
    effect=EFFECT,
    fix=Form.BATCHES,
    bad="UPDATE orders SET note = 'old';",
    good="UPDATE orders SET note = 'old' WHERE id BETWEEN 1 AND 500;",
)
DELETE = Rule(
    id="unbatched-delete",
    severity=Severity.ERROR,
    condition="One DELETE removes more rows than `batch`.",
    effect=EFFECT,
    fix=Form.BATCHES,
    bad="DELETE FROM order_lines;",
    good="DELETE FROM order_lines WHERE id BETWEEN 1 AND 500;",
)
RULES = (UPDATE, DELETE)
RULE_OF = {"UPDATE": UPDATE, "MERGE": UPDATE, "DELETE": DELETE}


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.first is None:
            continue
        places, explained = Places(unit), under_lock(unit)  # those are ddl-lock-during-backfill
        for statement in unit.first.statements:
            rule = _rule(statement)
            if rule is None or (statement.rows or 0) <= facts.limits.batch:
                continue
            if (statement.transaction, statement.started_ms) not in explained and _is_used(unit, target(statement)):
                yield _unbatched(unit, places, rule, statement, facts.limits.batch)


def _rule(statement: Statement) -> Rule | None:
    """A DO block by what it says: it has no tag for what it does."""
    if verb(statement) == "DO":
        return next((RULE_OF[word] for word in RULE_OF if says(statement, rf"\b{word}\b")), None)
    return RULE_OF.get(verb(statement))


def _is_used(unit: UnitFacts, table: str) -> bool:
    """Not the bookkeeping, and not a table that the migration has just made."""
    return not is_bookkeeping(unit, table) and all(new.name != table for new in new_tables(unit))


def _unbatched(unit: UnitFacts, places: Places, rule: Rule, statement: Statement, batch: int) -> Finding:
    table = target(statement)
    where = f" of {shown(table)}" if table else ""
    what = "removes" if rule is DELETE else "changes"
    return found(
        rule,
        f"{places.name(statement)} {what} {counted(statement.rows or 0, 'row')}{where} at once, in"
        f" {duration(statement.ms)} (limit: {counted(batch, 'row')})",
        quote=quoted(statement),
        fix=advice(Form.BATCHES, unit.unit.system),
        evidence={"statement": statement.sql, "rows": statement.rows, "batch": batch, "ms": round(statement.ms, 1)},
        **places.details(statement),
    )
