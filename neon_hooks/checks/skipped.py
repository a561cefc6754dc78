"""A migration that the tool passes over in silence: its bookkeeping remembers only how far it has come."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="skipped-migration",
    severity=Severity.ERROR,
    condition="A migration is dated before the last one that is applied on the main Neon database branch.",
    effect="The tool skips it in silence and reports success; the deployed code misses what it does.",
    fix="delete the migration, merge the main line, and generate it again, so that it is the youngest",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        for migration in unit.work.history:
            if migration.id in unit.skipped:
                yield _skipped(unit, migration.id, migration.path)


def _skipped(unit: UnitFacts, id: str, path: str) -> Finding:
    """An error if it is pushed; a warning if it is on the main line already, where it was skipped before."""
    pushed = id in {migration.id for migration in unit.work.pushed}
    return found(
        RULE,
        f"{id} will never run: it is dated before the last migration that the main Neon database branch has"
        " applied, and the tool skips such without a word",
        path=path,
        system=unit.unit.system,
        severity=RULE.severity if pushed else Severity.WARNING,
        evidence={"id": id, "pushed": pushed},
    )
