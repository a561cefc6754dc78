"""Migrations of the main line that the main Neon database branch has not applied yet: they run with this push."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, counted, found

RULE = Rule(
    id="pending-on-main",
    severity=Severity.NOTE,
    acceptable=False,
    condition="Migrations that are not part of the push are not applied on the main Neon database branch.",
    effect="The next deployment runs them before the pushed ones; they were tried together.",
    fix="nothing to do if their deployment is still to come; else find out why they were never applied",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        told = {m.id for m in unit.work.pushed} | {edit.id for edit in unit.work.edits}  # edited-migration says it
        pending = (unit.pending_on_main or frozenset()) - unit.skipped - told
        found_here = [migration for migration in unit.work.history if migration.id in pending]
        if found_here:
            names = [migration.id for migration in found_here]
            yield found(
                RULE,
                f"{counted(len(names), 'migration')} of the main line {'is' if len(names) == 1 else 'are'} not applied on the"
                f" main Neon database branch yet: {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}",
                path=found_here[0].path,
                system=unit.unit.system,
                evidence={"ids": names},
            )
