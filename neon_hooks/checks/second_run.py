"""Running the tool a second time must be a no-op: deployments are repeated."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

FAILS = Rule(
    id="second-run-fails",
    severity=Severity.ERROR,
    acceptable=False,
    condition="The tool succeeds, and fails when it is started again.",
    effect="The next deployment fails although it brings no migration.",
    fix="start the tool twice on a scratch database and follow its message",
)
CHANGES = Rule(
    id="second-run-changes",
    severity=Severity.ERROR,
    condition="A second run of the tool changes the schema or the bookkeeping again.",
    effect="Every deployment repeats the change, with its locks and its risks.",
    fix="make the migration record itself, and move what must always run out of the migrations",
)
RULES = (FAILS, CHANGES)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.again is None:
            continue
        where = {"path": unit.unit.migrations_dir, "system": unit.unit.system}
        if unit.again.exit_code:
            yield found(
                FAILS,
                f"a second `{' '.join(unit.again.argv)}` ended with exit code {unit.again.exit_code}",
                quote="\n".join(unit.again.output.strip().splitlines()[-10:]),
                **where,
            )
        elif unit.again_diff:
            yield found(
                CHANGES,
                "a second run of the migration tool changed the test Neon database branch again",
                quote=unit.again_diff,
                **where,
            )
