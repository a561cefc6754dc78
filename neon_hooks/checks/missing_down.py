"""A pushed migration without a way back, in a project whose other migrations have one."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="missing-down",
    severity=Severity.WARNING,
    condition="A pushed migration has no way back, and most of the project's others have one.",
    effect="The next rollback stops here.",
    fix="write the way back, or say in its place why there is none",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    """Repeatable migrations are left out: nobody expects a way back of them."""
    for unit in facts.units:
        downs, others = unit.work.downs, _others(unit)
        if downs is None or not is_usual(unit):
            continue
        for migration in unit.work.pushed:
            if migration.id not in downs and not migration.repeatable:
                yield found(
                    RULE,
                    "there is no way back from this migration: its down file, part or function is missing or empty",
                    path=migration.path,
                    system=unit.unit.system,
                    evidence={"with_down": len(downs.intersection(others)), "others": len(others)},
                )


def is_usual(unit: UnitFacts) -> bool:
    """Whether most of the migrations that are not pushed have a way back."""
    others = _others(unit)
    return unit.work.downs is not None and 2 * len(unit.work.downs.intersection(others)) > len(others)


def _others(unit: UnitFacts) -> list[str]:
    pushed = {migration.id for migration in unit.work.pushed}
    return [m.id for m in unit.work.history if m.id not in pushed and not m.repeatable]
