"""A pushed migration without a way back, in a project whose other migrations have one."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="missing-down",
    severity=Severity.WARNING,
    condition="A pushed migration has no down file, and most of the project's others have one.",
    effect="The next rollback stops here.",
    fix="add the down file, or say in it why there is no way back",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        downs = unit.work.downs
        pushed = {migration.id for migration in unit.work.pushed}
        others = [migration.id for migration in unit.work.history if migration.id not in pushed]
        if downs is None or 2 * len(downs.intersection(others)) <= len(others):
            continue
        for migration in unit.work.pushed:
            if migration.id not in downs:
                yield found(
                    RULE,
                    "there is no down file for this migration",
                    path=migration.path,
                    system=unit.unit.system,
                    evidence={"with_down": len(downs.intersection(others)), "others": len(others)},
                )
