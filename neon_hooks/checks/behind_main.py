"""The main Neon database branch has applied migrations that the pushed tree does not have."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, counted, found

RULE = Rule(
    id="behind-main",
    severity=Severity.WARNING,
    condition="The main Neon database branch records migrations of which the pushed tree has no file.",
    effect="The pushed git branch is older than production; its migrations were tried on a newer schema.",
    fix="merge or rebase onto the main line, then push again",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        gone = {edit.id for edit in unit.work.edits}  # edited-migration has said so
        names = sorted(unit.unknown_rows - gone)
        if not names:
            continue
        yield found(
            RULE,
            f"the main Neon database branch has applied {counted(len(names), 'migration')} that this push does not have:"
            f" {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}",
            path=unit.unit.migrations_dir,
            system=unit.unit.system,
            evidence={"ids": names},
        )
