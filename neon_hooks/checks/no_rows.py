"""The migrations were tried on a schema without rows: that is no proof for production's data."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="tried-without-rows",
    severity=Severity.WARNING,
    acceptable=False,
    condition='`data` is "schema-only": the test Neon database branch has the schema of main, and no rows.',
    effect="What fails on data, or takes long because of it, was not seen.",
    fix='set `data` to "full", or to "anonymized" where rows must not be copied as they are',
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    if facts.data == "schema-only" and any(unit.first for unit in facts.units):
        yield found(RULE, "the migrations met no rows: this does not show that they apply to production's data")
