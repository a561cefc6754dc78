"""A migration needs something that the server does not have: no mistake in its SQL, but no deployment either."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found
from neon_hooks.lacking import lack_of

RULE = Rule(
    id="server-lacks",
    severity=Severity.ERROR,
    condition="A migration needs an extension, a role or a newer Postgres that the server does not have.",
    effect="The copy has what the main Neon database branch has: it would fail there in the same way.",
    fix="make it available there first",
    bad="CREATE EXTENSION no_such_extension;",
    good="CREATE EXTENSION IF NOT EXISTS plpgsql;",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    """Nothing where embedded Postgres stands in for Neon: what that lacks says nothing (gate.py)."""
    for unit in facts.units:
        lack = lack_of(unit.first)
        if lack and lack.on_server and unit.first and unit.first.failed and not facts.stand_in:
            statement = unit.first.failed
            assert statement.error is not None  # lack_of has read it
            yield found(
                RULE,
                f"the server lacks {lack.what}",
                path=statement.path or unit.unit.migrations_dir,
                line=statement.line,
                system=unit.unit.system,
                quote=f"{statement.sql.strip()}\n{statement.error.message}",
                fix=lack.fix,
                evidence={"sqlstate": statement.error.sqlstate, "statement": statement.sql},
            )
