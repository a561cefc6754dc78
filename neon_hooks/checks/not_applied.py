"""The tool reports success, but the bookkeeping on the test Neon database branch does not."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found

ELSEWHERE = Rule(
    id="not-on-test-branch",
    severity=Severity.ERROR,
    acceptable=False,
    condition="The tool ended without error and changed nothing on the test Neon database branch.",
    effect="Nothing is proven; the tool may have worked on another database, even on production.",
    fix="look at the database that the project's configuration names, and let it take its connection"
    " string from DATABASE_URL",
)
MISSING = Rule(
    id="not-applied",
    severity=Severity.ERROR,
    acceptable=False,
    condition="A pushed migration is not recorded after the tool has run.",
    effect="It would not run on the main Neon database branch either: the deployed code would miss it.",
    fix="make the tool see the file: its directory, its name, the app or the location that it belongs to",
)
UNEXPECTED = Rule(
    id="unexpected-record",
    severity=Severity.ERROR,
    acceptable=False,
    condition="After the run the bookkeeping holds ids that the pushed tree does not explain.",
    effect="What ran is not what is pushed.",
    fix="remove generated or cached migration files, and push what you have tried",
)
RULES = (ELSEWHERE, MISSING, UNEXPECTED)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.first is None or unit.first.exit_code:
            continue
        yield from _unseen(unit)
        if unit.proof.missing and not unit.schema_diff and unit.rows_before == unit.rows_after:
            yield _elsewhere(unit)
        else:
            yield from _missing(unit)
        if unit.proof.unexpected:
            yield found(
                UNEXPECTED,
                f"recorded, but not part of the pushed tree: {_listed(unit.proof.unexpected)}",
                path=unit.unit.migrations_dir,
                system=unit.unit.system,
                evidence={"ids": sorted(unit.proof.unexpected)},
            )


def _elsewhere(unit: UnitFacts) -> Finding:
    first = next((m.path for m in unit.migrations if m.id in unit.proof.missing), unit.unit.migrations_dir)
    assert unit.first is not None
    return found(
        ELSEWHERE,
        f"`{' '.join(unit.first.argv)}` ended without error, but did not touch the test Neon database branch;"
        " it may have migrated another database",
        path=first,
        system=unit.unit.system,
        quote="\n".join(unit.first.output.strip().splitlines()[-10:]),
        evidence={"missing": sorted(unit.proof.missing)},
    )


def _unseen(unit: UnitFacts) -> Iterator[Finding]:
    paths = {migration.id: migration.path for migration in unit.work.history}
    for id in sorted(unit.proof.unseen):
        yield found(
            MISSING,
            f"{unit.unit.system} does not take {id} for a migration:"
            " its name is not of the form that it looks for",
            path=paths.get(id, unit.unit.migrations_dir),
            system=unit.unit.system,
            evidence={"id": id},
        )


def _missing(unit: UnitFacts) -> Iterator[Finding]:
    paths = {migration.id: migration.path for migration in unit.work.history}
    for missing in sorted(unit.proof.missing):
        yield found(
            MISSING,
            f"{missing} was pushed, but the migration tool did not apply it",
            path=paths.get(missing, unit.unit.migrations_dir),
            system=unit.unit.system,
            evidence={"id": missing},
        )


def _listed(ids: frozenset[str]) -> str:
    names = sorted(ids)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
