"""The whole history on an empty database does not make the schema that main has with the push."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

DIFFERS = Rule(
    id="history-differs",
    severity=Severity.WARNING,
    acceptable=False,
    condition="All migrations together, on an empty database, fail or make another schema than main has with the push.",
    effect="Databases of developers, tests and new regions are not what production is.",
    fix="write the difference into a migration, or repair the old one that no longer runs",
)
LEFT_OUT = Rule(
    id="history-not-tried",
    severity=Severity.NOTE,
    acceptable=False,
    condition="The whole history was not run on an empty database.",
    effect="Whether it makes the schema that main has is not known.",
    fix="nothing to do, or `[trials] history = true`",
)
RULES = (DIFFERS, LEFT_OUT)
SHOWN = 30  # lines


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        trial, where = unit.history, {"path": unit.unit.migrations_dir, "system": unit.unit.system}
        if trial is None:
            continue
        if trial.reason:
            yield found(LEFT_OUT, f"the whole history was not run on an empty database: {trial.reason}", **where)
        elif trial.run and trial.run.exit_code:
            yield found(
                DIFFERS,
                f"the whole history does not run on an empty database: `{' '.join(trial.run.argv)}` ended with exit"
                f" code {trial.run.exit_code}",
                quote=_said(trial.run.failed.error.message if trial.run.failed and trial.run.failed.error else trial.run.output),
                **where,
            )
        elif trial.diff:
            yield found(
                DIFFERS,
                "the whole history on an empty database makes another schema: - is only on main with this push, + only there",
                quote=_said(trial.diff),
                evidence={"diff": trial.diff},
                **where,
            )


def _said(text: str) -> str:
    return "\n".join(text.strip().splitlines()[:SHOWN])
