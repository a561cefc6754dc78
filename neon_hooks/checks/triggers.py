"""Triggers that a migration leaves disabled: foreign keys are enforced by triggers, too."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.checks.schema import changes
from neon_hooks.checks.wording import Places, listed, shown
from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="triggers-disabled",
    severity=Severity.WARNING,
    condition="After the run a trigger of an existing table is disabled that was enabled before.",
    effect="What it kept true is no longer kept true, and nothing says so.",
    fix="ENABLE TRIGGER it again at the end of the same migration",
    bad="ALTER TABLE orders DISABLE TRIGGER USER;",
    good="ALTER TABLE orders DISABLE TRIGGER USER;\nALTER TABLE orders ENABLE TRIGGER USER;",
)
RULES = (RULE,)
INTERNAL = "RI_ConstraintTrigger"


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        places = Places(unit)
        for change in changes(unit):
            disabled = set(change.after.disabled_triggers) if change.after else set()
            new = sorted(disabled.difference(change.before.disabled_triggers))
            if new:
                yield found(
                    RULE,
                    f"{listed(_said(new))} of {shown(change.before.name)} left disabled",
                    evidence={"table": change.before.name, "triggers": new},
                    **places.found_at(places.naming(change.before.name, r"\bDISABLE\b")),
                )


def _said(names: list[str]) -> list[str]:
    """Those that enforce foreign keys have no name that a person knows."""
    own = [f"the trigger {shown(name)}" for name in names if not name.startswith(INTERNAL)]
    return own + (["what enforces the foreign keys"] if len(own) < len(names) else [])
