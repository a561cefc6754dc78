"""CONCURRENTLY inside a transaction: Postgres refuses, and the tool knows how to do without one."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.checks.idioms import Form, advice
from neon_hooks.checks.sql_text import bare
from neon_hooks.checks.wording import Places, quoted
from neon_hooks.facts import Facts, Statement
from neon_hooks.findings import Finding, Rule, Severity, found

ACTIVE_TRANSACTION = "25001"
RULE = Rule(
    id="concurrently-in-transaction",
    severity=Severity.ERROR,
    condition="A statement with CONCURRENTLY runs inside a transaction.",
    effect="Postgres refuses it: the deployment fails at this statement.",
    fix=Form.OUTSIDE,
    bad="BEGIN;\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);\nCOMMIT;",
    good="CREATE INDEX CONCURRENTLY orders_note ON orders (note);",
    acceptable=False,
)
RULES = (RULE,)


def is_refused(statement: Statement) -> bool:
    """Whether this rule explains why ``statement`` failed."""
    refused = statement.error is not None and statement.error.sqlstate == ACTIVE_TRANSACTION
    return refused and "CONCURRENTLY" in bare(statement)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        statement = unit.first.failed if unit.first else None
        if statement is None or statement.error is None or not is_refused(statement):
            continue
        error = statement.error
        yield found(
            RULE,
            error.message,
            quote=f"{quoted(statement)}\nSQLSTATE {error.sqlstate} (active_sql_transaction)",
            fix=advice(Form.OUTSIDE, unit.unit.system),
            evidence={"sqlstate": error.sqlstate, "statement": statement.sql},
            **Places(unit).details(statement),
        )
