"""The migration tool failed on the test Neon database branch."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.checks.concurrently import is_refused
from neon_hooks.checks.sqlstates import fix_for, name_of
from neon_hooks.facts import DatabaseError, Facts, Statement, ToolRun, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found
from neon_hooks.lacking import lack_of

RULE = Rule(
    id="migration-fails",
    severity=Severity.ERROR,
    acceptable=False,
    condition="The migration does not run through on a copy of the main Neon database branch.",
    effect="It would fail in the same way when it is deployed, possibly half-way.",
    fix="correct the migration, commit, and push again",
    bad="ALTER TABLE customers ADD COLUMN country text NOT NULL;",
    good="ALTER TABLE customers ADD COLUMN country text;",
)
RULES = (RULE,)
# Its configuration, its version, a check of its own: nothing that a change of the SQL must mend.
GAVE_UP = "Postgres refused no statement that was seen: the tool gave up for the reason that it gives above"
QUOTED_LINES = 30


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.first is None or not unit.first.exit_code:
            continue
        if lack_of(unit.first):
            continue  # server-lacks says more; without a package of the project's nothing is known
        statement = unit.first.failed
        if statement and is_refused(statement):
            continue  # concurrently-in-transaction says more
        yield _refused(unit, statement) if statement else _tool_failed(unit, unit.first)


def _refused(unit: UnitFacts, statement: Statement) -> Finding:
    """Postgres said no: its words, the statement and where it stands."""
    error = statement.error
    assert error is not None  # ToolRun.failed returns only such
    return found(
        RULE,
        error.message,
        path=statement.path or unit.unit.migrations_dir,
        line=statement.line,
        system=unit.unit.system,
        quote=_quote(statement, error),
        fix=_fix(error),
        evidence={
            "sqlstate": error.sqlstate,
            "detail": error.detail,
            "hint": error.hint,
            "statement": statement.sql,
        },
    )


def _fix(error: DatabaseError) -> str:
    """By SQLSTATE; what is no error of Postgres is a tool's own refusal, and its hint the remedy."""
    return (fix_for(error.sqlstate) if error.sqlstate else error.hint) or RULE.fix


def _quote(statement: Statement, error: DatabaseError) -> str:
    lines = statement.sql.strip().splitlines()
    more = [f"... ({len(lines) - QUOTED_LINES} more lines)"] if len(lines) > QUOTED_LINES else []
    said = [f"SQLSTATE {error.sqlstate} ({name_of(error.sqlstate)})"] if error.sqlstate else []
    said += [f"{label}: {text}" for label, text in _labelled(error) if text and text != _fix(error)]
    return "\n".join([*lines[:QUOTED_LINES], *more, *said])


def _labelled(error: DatabaseError) -> tuple[tuple[str, str], ...]:
    return ("DETAIL", error.detail), ("HINT", error.hint), ("CONTEXT", error.context)


def _tool_failed(unit: UnitFacts, run: ToolRun) -> Finding:
    """The tool gave up for a reason of its own: its words."""
    pending = [m for m in unit.migrations if m.pushed and not m.applied and not m.applied_before]
    hint = ""
    if run.replaced:
        hint = (
            "; it was started without the real values of "
            + ", ".join(run.replaced)
            + ": name in `env_passthrough` what it needs"
        )
    return found(
        RULE,
        f"`{' '.join(run.argv)}` ended with exit code {run.exit_code}",
        path=pending[0].path if pending else unit.unit.migrations_dir,
        system=unit.unit.system,
        quote="\n".join(run.output.strip().splitlines()[-QUOTED_LINES:]),
        fix=GAVE_UP + hint,
        evidence={"exit_code": run.exit_code},
    )
