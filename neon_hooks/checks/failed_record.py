"""The bookkeeping that was copied from main says that a migration failed there: the tool refuses to go on."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="failed-record",
    severity=Severity.ERROR,
    acceptable=False,
    condition="The bookkeeping of the main Neon database branch records a migration that failed.",
    effect="The migration tool refuses every deployment until that is repaired.",
    fix="look what the migration has left on the main Neon database branch, mend it, and repair the record",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        for row in (each for each in unit.refusals if not each.is_lock):
            paths = [m.path for m in unit.work.history if row.name in (m.id, m.row)]
            yield found(
                RULE,
                f"{row.name} failed on the main Neon database branch (table {row.table}), so nothing was tried",
                path=paths[0] if paths else unit.unit.migrations_dir,
                system=unit.unit.system,
                fix=f"{RULE.fix}: {row.repair}",
                evidence={"table": row.table, "name": row.name},
            )
