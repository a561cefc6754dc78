"""Pushed migrations that main's bookkeeping already has: they were not tried, and need not be."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, counted, found

RULE = Rule(
    id="already-applied",
    severity=Severity.NOTE,
    condition="A pushed migration is recorded as applied on the main Neon database branch.",
    effect="It was not tried: it will not run there again.",
    fix="nothing to do if it was deployed before it was pushed",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        done = [m for m in unit.migrations if m.pushed and m.applied_before]
        if done:
            yield found(
                RULE,
                f"{len(done)} of {counted(len(unit.work.pushed), 'pushed migration')} already applied on the main"
                f" Neon database branch, up to {done[-1].id}",
                path=done[-1].path,
                system=unit.unit.system,
                evidence={"ids": [m.id for m in done]},
            )
