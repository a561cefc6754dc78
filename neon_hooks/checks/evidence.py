"""What was not seen: where the flight recorder had only a part, silence about locks proves nothing."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Evidence, Facts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="evidence-partial",
    severity=Severity.NOTE,
    condition="Not all statements or locks of the run were recorded.",
    effect="Tables may be blocked for longer, and by more, than what is reported.",
    fix="connect by a driver that speaks Postgres' own protocol over TCP, if the project can",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        run = unit.first
        if run is None or run.evidence is Evidence.FULL:
            continue
        if run.evidence is Evidence.PARTIAL or run.unrecorded:
            yield found(
                RULE,
                f"not everything was recorded: {run.unrecorded or 'a part of the run was not seen'}",
                path=unit.unit.migrations_dir,
                system=unit.unit.system,
                evidence={"evidence": str(run.evidence), "unrecorded": run.unrecorded},
            )
