"""How long a statement waits for its lock, while everything else that wants the table waits behind it.

https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from neon_hooks.checks.blocking import Block, blocks_of
from neon_hooks.checks.concurrently import is_refused
from neon_hooks.checks.forecast import MEASURABLE_ROWS
from neon_hooks.checks.idioms import Form, advice
from neon_hooks.checks.sql_text import says
from neon_hooks.checks.wording import Places, duration, listed, quoted, sized
from neon_hooks.facts import Facts, Statement, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found
from neon_hooks.limits import Limits

MISSING = Rule(
    id="lock-timeout-missing",
    severity=Severity.WARNING,
    condition="A statement takes a lock that blocks a large table, and there is no lock_timeout (a note for smaller"
    " ones).",
    effect="Behind one long-running query it waits for ever, and every new query on the table waits behind it.",
    fix=Form.LOCK_TIMEOUT,
    bad="ALTER TABLE orders ADD COLUMN state text;",
    good="SET lock_timeout = '5s';\nALTER TABLE orders ADD COLUMN state text;",
)
TOO_LONG = Rule(
    id="lock-timeout-too-long",
    severity=Severity.WARNING,
    condition="A statement takes a lock that blocks a large table, with a longer lock_timeout than the limit.",
    effect="For that long every new query on the table may wait behind it.",
    fix=Form.LOCK_TIMEOUT,
    bad="SET lock_timeout = '10min';\nALTER TABLE orders ADD COLUMN state text;",
    good="SET lock_timeout = '5s';\nALTER TABLE orders ADD COLUMN state text;",
)
CONCURRENTLY = Rule(
    id="lock-timeout-with-concurrently",
    severity=Severity.WARNING,
    condition="CREATE, DROP or REINDEX INDEX CONCURRENTLY runs with a short lock_timeout.",
    effect="It waits, without blocking anybody, for all older transactions; when the time is up, an INVALID index is"
    " left.",
    fix="SET lock_timeout = 0 for this statement: it keeps nobody waiting",
    bad="SET lock_timeout = '5s';\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);",
    good="SET lock_timeout = 0;\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);",
)
RULES = (MISSING, TOO_LONG, CONCURRENTLY)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        places = Places(unit)
        yield from _waiting(unit, places, facts.limits)
        yield from _hasty(unit, places, facts.limits)


def _waiting(unit: UnitFacts, places: Places, limits: Limits) -> Iterator[Finding]:
    """One finding per file and rule: the first statement stands for the others."""
    cases: dict[tuple[Rule, str], list[tuple[Statement, Block]]] = defaultdict(list)
    for block in blocks_of(unit):
        by = block.held[0].by
        rule = _rule(by, limits)
        if rule and (block.rows is None or block.rows >= MEASURABLE_ROWS):
            cases[rule, by.path].append((by, block))
    for (rule, _), found_here in cases.items():
        statement, _ = found_here[0]
        tables = {block.table: block.rows for _, block in found_here}
        large = any((rows or 0) >= limits.large_table for rows in tables.values())
        timeout = statement.lock_timeout_ms or 0
        state = f"with lock_timeout = {duration(timeout)}" if timeout else "without a lock_timeout"
        yield found(
            rule,
            f"{places.name(statement)} locks {listed([sized(table, rows) for table, rows in tables.items()])} {state}",
            severity=rule.severity if large else Severity.NOTE,
            quote=quoted(statement),
            fix=advice(Form.LOCK_TIMEOUT, unit.unit.system),
            evidence={
                "statement": statement.sql,
                "tables": list(tables),
                "lock_timeout_ms": timeout,
                "limit_ms": limits.lock_timeout,
            },
            **places.details(statement),
        )


def _rule(statement: Statement, limits: Limits) -> Rule | None:
    timeout = statement.lock_timeout_ms
    if timeout is None:
        return None
    if timeout <= 0:
        return MISSING
    return TOO_LONG if timeout > limits.lock_timeout else None


def _hasty(unit: UnitFacts, places: Places, limits: Limits) -> Iterator[Finding]:
    for statement in unit.first.statements if unit.first else ():
        timeout = 0 if is_refused(statement) else statement.lock_timeout_ms or 0
        if 0 < timeout <= limits.lock_timeout and says(statement, r"^(?:CREATE|DROP|REINDEX)\b.*\bCONCURRENTLY\b"):
            yield found(
                CONCURRENTLY,
                f"{places.name(statement)} runs with lock_timeout = {duration(timeout)}",
                quote=quoted(statement),
                evidence={"lock_timeout_ms": timeout},
                **places.details(statement),
            )
