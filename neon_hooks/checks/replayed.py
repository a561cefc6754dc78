"""The project's tool was not there: neon-hooks ran the SQL of the migrations itself."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="replayed",
    severity=Severity.WARNING,
    condition="The project's migration tool is not installed, and all pending migrations are plain SQL.",
    effect="Their SQL was run and recorded as the tool does it; what else the tool checks was not seen.",
    fix="install the project's dependencies where you push, so that the tool itself is tried",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.first and unit.first.replayed:
            yield found(
                RULE,
                f"{unit.first.argv[0]} was not found, so neon-hooks ran the SQL of the migrations itself",
                path=unit.unit.migrations_dir,
                system=unit.unit.system,
                evidence={"argv": list(unit.first.argv)},
            )
