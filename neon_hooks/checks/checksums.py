"""A migration that main has applied from another file than the one that is pushed."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="checksum-mismatch",
    severity=Severity.WARNING,
    condition="The bookkeeping of the main Neon database branch has another checksum for a migration than its"
    " file.",
    effect="What was applied is not what the file says: other databases are made differently, and tools that"
    " compare checksums refuse to work.",
    fix="restore the file as it was applied; if the difference is harmless, correct the record with the tool"
    " (flyway repair, liquibase clear-checksums, ...)",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    """One finding for a unit: where checksums are chained, all that come after the first differ, too."""
    for unit in facts.units:
        different = [migration for migration in unit.work.history if migration.id in unit.mismatched]
        edited = {edit.id for edit in unit.work.edits}
        others = len(different) - 1
        if different and not edited.intersection(unit.mismatched):
            yield found(
                RULE,
                f"{different[0].id} was applied on the main Neon database branch from a file with another content"
                + (f", and so were {others} more" if others else ""),
                path=different[0].path,
                system=unit.unit.system,
                evidence={"ids": [migration.id for migration in different]},
            )
