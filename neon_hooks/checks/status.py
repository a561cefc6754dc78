"""The status command of the settings does not agree with the migrations that have just run."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="status-disagrees",
    severity=Severity.ERROR,
    condition="The command of `[[systems]] status` ends with an error after the migrations have run.",
    effect="It would say the same after the deployment: the database is not in the state that it expects.",
    fix="read its output, and correct the migration, or the command in the settings",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.status and unit.status.exit_code:
            yield found(
                RULE,
                f"after the migrations `{' '.join(unit.status.argv)}` ended with exit code {unit.status.exit_code}",
                path=unit.unit.migrations_dir,
                system=unit.unit.system,
                quote="\n".join(unit.status.output.strip().splitlines()[-10:]),
                evidence={"exit_code": unit.status.exit_code},
            )
