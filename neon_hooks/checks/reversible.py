"""The way back of the pushed migrations was tried, and does not lead back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from neon_hooks.checks.missing_down import is_usual
from neon_hooks.checks.wording import amount, listed, shown
from neon_hooks.facts import Contents, DownAndUp, Facts, ToolRun, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, counted, found

RULE = Rule(
    id="not-reversible",
    severity=Severity.WARNING,
    condition="Taking the pushed migrations back fails, or leaves something else than there was before them.",
    effect="A rollback stops half-way, or leaves a schema that no commit describes.",
    fix="make the way back undo all that the way forward does, or say in its place why it cannot",
)
LOSES = Rule(
    id="reversible-with-loss",
    severity=Severity.NOTE,
    acceptable=False,
    condition="The way back leads back, and drops data that the migrations have made or taken in.",
    effect="After a rollback what was written into the new columns and tables is gone.",
    fix="copy what must be kept before a rollback",
)
IRREVERSIBLE = Rule(
    id="irreversible",
    severity=Severity.NOTE,
    acceptable=False,
    condition="There is no way back: a pushed migration says so itself, or the tool knows none.",
    effect="A rollback needs another migration, or the database as it was.",
    fix="to go back with Neon, restore the main Neon database branch to the moment before the deployment"
    " (https://neon.com/docs/introduction/branch-restore); what was written since is lost with it",
)
RULES = (RULE, LOSES, IRREVERSIBLE)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.down_and_up:
            yield from _judged(unit, unit.down_and_up)
        yield from _irreversible(unit)


def _irreversible(unit: UnitFacts) -> Iterator[Finding]:
    work, system = unit.work, unit.unit.system
    if not work.pushed or unit.first is None or unit.first.exit_code:
        return
    if work.all_one_way:
        yield found(
            IRREVERSIBLE, f"{system} knows no way back of migrations", path=work.pushed[-1].path, system=system
        )
    for migration in work.pushed:
        is_told = is_usual(unit) and migration.id not in (work.downs or ())  # by missing-down
        if migration.id in work.one_way and not is_told:
            yield found(IRREVERSIBLE, "this migration has no way back, or says that there is none", path=migration.path, system=system)


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
    if trial.contents:
        yield found(
            RULE,
            f"the way back does not restore the data: {listed([word for each in trial.contents for word in _different(each)])}",
            evidence={"contents": [asdict(each) for each in trial.contents]},
            **where,
        )
    if trial.lost and not trial.diff:
        amounts = [amount(each) for each in trial.lost]
        yield found(
            LOSES,
            f"reversible, but down drops {listed(amounts)}",
            evidence={"lost": [asdict(each) for each in trial.lost]},
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


def _different(table: Contents) -> Iterator[str]:
    if table.missing:
        yield f"{counted(table.missing, 'row')} of {shown(table.table)} {'is' if table.missing == 1 else 'are'} missing"
    if table.added:
        yield f"{counted(table.added, 'row')} of {shown(table.table)} came in addition"
    for column in table.columns:
        yield f"{counted(column.values, 'value')} of {shown(f'{table.table}.{column.name}')} differ"


def _ended(run: ToolRun) -> str:
    return f"`{' '.join(run.argv)}` ended with exit code {run.exit_code}"


def _said(run: ToolRun) -> str:
    """Postgres' words where they are known, else the tool's last ones."""
    failed = run.failed
    if failed and failed.error:
        return f"{failed.sql.strip()}\n{failed.error.message} (SQLSTATE {failed.error.sqlstate})"
    return "\n".join(run.output.strip().splitlines()[-10:])
