"""The tool finds its own lock taken: a row that was copied with the others from the main
Neon database branch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="stale-lock",
    severity=Severity.ERROR,
    acceptable=False,
    condition="The migration tool's lock is taken in the copy of the main Neon database branch.",
    effect="The next deployment is refused in the same way, unless one is running just now and ends well.",
    fix="wait for a deployment that is running; if there is none, a killed one has left the lock: release it"
    " on the main Neon database branch",
)
RULES = (RULE,)
# A tool's words, and how its lock is released. Advisory locks are not listed: a copy has none.
LOCKED = (
    (re.compile(r"Migration table is already locked"), "`knex migrate:unlock`"),
    (re.compile(r"Could not acquire change ?log lock", re.IGNORECASE), "`liquibase release-locks`"),
    (re.compile(r"has locked this database"), "`yoyo break-lock`"),
)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        for lock in (each for each in unit.refusals if each.is_lock):
            yield found(
                RULE,
                f"the migration tool's lock is taken by {lock.name} (table {lock.table}), so nothing was tried",
                path=unit.unit.migrations_dir,
                system=unit.unit.system,
                fix=f"{RULE.fix}: {lock.repair}",
                evidence={"table": lock.table, "by": lock.name},
            )
        if unit.first is None or not unit.first.exit_code:
            continue
        for words, release in LOCKED:
            if words.search(unit.first.output):
                yield found(
                    RULE,
                    "the migration tool's lock is taken, so nothing could be tried",
                    path=unit.unit.migrations_dir,
                    system=unit.unit.system,
                    fix=f"{RULE.fix}: {release}",
                )
