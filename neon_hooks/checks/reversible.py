"""The way back of the pushed migrations was tried, and does not lead back."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import DownAndUp, Facts, ToolRun, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="not-reversible",
    severity=Severity.WARNING,
    condition="Taking the pushed migrations back fails, or leaves something else than there was before them.",
    effect="A rollback stops half-way, or leaves a schema that no commit describes.",
    fix="make the way back undo all that the way forward does, or say in its place why it cannot",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.down_and_up:
            yield from _judged(unit, unit.down_and_up)


def _judged(unit: UnitFacts, trial: DownAndUp) -> Iterator[Finding]:
    where = {"path": unit.work.pushed[-1].path, "system": unit.unit.system}
    if trial.down.exit_code:
        yield found(RULE, f"the way back fails: {_ended(trial.down)}", quote=_said(trial.down), **where)
    if trial.diff:
        yield found(
            RULE,
            "the way back does not lead back: - was there before the migrations, + is there after it",
            quote=trial.diff,
            **where,
        )
    if trial.up and trial.up.exit_code:
        yield found(
            RULE,
            f"after the way back the migrations cannot be applied again: {_ended(trial.up)}",
            quote=_said(trial.up),
            severity=Severity.ERROR,
            **where,
        )


def _ended(run: ToolRun) -> str:
    return f"`{' '.join(run.argv)}` ended with exit code {run.exit_code}"


def _said(run: ToolRun) -> str:
    """Postgres' words where they are known, else the tool's last ones."""
    failed = run.failed
    if failed and failed.error:
        return f"{failed.sql.strip()}\n{failed.error.message} (SQLSTATE {failed.error.sqlstate})"
    return "\n".join(run.output.strip().splitlines()[-10:])
