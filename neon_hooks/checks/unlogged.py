"""Unlogged tables: their rows are gone after a crash (manual, CREATE TABLE), and on Neon whenever a compute
starts: they lie on its own disk."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.checks.sql_text import says
from neon_hooks.checks.wording import Places, quoted
from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="unlogged-table",
    severity=Severity.WARNING,
    condition="A table is made UNLOGGED.",
    effect="Its rows are lost whenever the compute restarts, which Neon does each time it has scaled to zero.",
    fix="leave it logged, or keep in it only what can be lost",
    bad="CREATE UNLOGGED TABLE cache (key text PRIMARY KEY, value text);",
    good="CREATE TABLE cache (key text PRIMARY KEY, value text);",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    """Seen in the text: the catalogue that is read does not have it."""
    for unit in facts.units:
        places = Places(unit)
        for statement in unit.first.statements if unit.first else ():
            if statement.error is None and says(statement, r"\bSET UNLOGGED\b|\bCREATE UNLOGGED\b"):
                yield found(
                    RULE,
                    f"{places.name(statement)} makes a table whose rows do not survive a restart of the compute",
                    quote=quoted(statement),
                    **places.details(statement),
                )
