"""Migrations that were cut off, and what became of them when the tool was started again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from neon_hooks.checks.idioms import Form, advice
from neon_hooks.checks.sql_text import says
from neon_hooks.checks.wording import Places, grouped, listed, quoted, shown
from neon_hooks.facts import Cut, Facts, Rerun, Statement, ToolRun, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, counted, found

FAILS = Rule(
    id="not-rerunnable",
    severity=Severity.WARNING,
    condition="A migration of several transactions is cut off, and the tool fails or refuses when it is started again.",
    effect="A deployment that is interrupted there stays half-way until somebody repairs the database by hand.",
    fix=str(Form.AGAIN),
    bad="ALTER TABLE customers ADD COLUMN a text;\nALTER TABLE customers ADD COLUMN b text;",
    good="ALTER TABLE customers ADD COLUMN IF NOT EXISTS a text;\nALTER TABLE customers ADD COLUMN IF NOT EXISTS b text;",
)
DIFFERS = Rule(
    id="rerun-differs",
    severity=Severity.ERROR,
    condition="A migration of several transactions is cut off, the tool is started again and ends without an error, and"
    " the outcome is not that of an uninterrupted run: an INVALID index, another schema, rows twice.",
    effect="A deployment that is interrupted there goes wrong, and nobody is told.",
    fix=str(Form.AGAIN),
    bad="CREATE INDEX CONCURRENTLY IF NOT EXISTS customers_code ON customers (country_code);",
    good="DROP INDEX CONCURRENTLY IF EXISTS customers_code;\nCREATE INDEX CONCURRENTLY customers_code ON customers (country_code);",
)
LOCK = Rule(
    id="lock-left-behind",
    severity=Severity.NOTE,
    acceptable=False,
    condition="A deployment that is cut off leaves the migration tool's lock taken.",
    effect="The next deployment waits or is refused until somebody releases it.",
    fix="release it before the next deployment",
)
NOT_ALL = Rule(
    id="rerun-not-tried",
    severity=Severity.NOTE,
    acceptable=False,
    condition="The migrations could be interrupted at more places than were tried.",
    effect="What becomes of the tool's next start is not known for the others.",
    fix="nothing to do, or raise `[trials] cuts` or `deadline`",
)
RULES = (FAILS, DIFFERS, LOCK, NOT_ALL)
SHOWN = 20  # lines


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.rerun:
            yield from _judged(unit, unit.rerun)


def _judged(unit: UnitFacts, trial: Rerun) -> Iterator[Finding]:
    places = Places(unit)
    for rule, words in ((FAILS, _failure), (DIFFERS, _difference)):
        alike: dict[tuple[str, str], list[Cut]] = {}
        for cut in trial.cuts:
            if what := words(unit, cut):
                alike.setdefault((cut.path, what), []).append(cut)
        for (_, what), cuts in alike.items():
            yield _found(rule, places, what, cuts)
    locks = {lock.name: lock for cut in trial.cuts for lock in cut.refusals if lock.is_lock}
    for lock in locks.values():
        yield found(
            LOCK,
            f"a deployment that is cut off leaves the lock of {unit.unit.system} taken (table {lock.table})",
            fix=f"{LOCK.fix}: {lock.repair}",
            path=trial.cuts[0].path,
            system=unit.unit.system,
        )
    tried = len(trial.cuts) + sum(cut.later for cut in trial.cuts)
    if trial.reason:
        yield found(
            NOT_ALL,
            f"interrupted at {tried} of {counted(trial.possible, 'place')}: {trial.reason}",
            path=unit.work.pushed[-1].path if unit.work.pushed else unit.unit.migrations_dir,
            system=unit.unit.system,
        )


def _found(rule: Rule, places: Places, what: str, cuts: Sequence[Cut]) -> Finding:
    """One for all places with the same outcome; it stands at the first."""
    first = cuts[0]
    statement = _statement(places.unit, first)
    invalid = list(dict.fromkeys(shown(name) for cut in cuts for name in cut.invalid)) if rule is FAILS else []
    left = f"; the INVALID index {listed(invalid)} is left behind" if invalid else ""
    return found(
        rule,
        f"cut {_where(places, first, statement)}{_elsewhere(cuts)}: {what}{left}",
        fix=_fix(places.unit, first, statement),
        quote=_quote(first, statement),
        evidence={"cuts": [_evidence(places, cut) for cut in cuts]},
        **{**places.details(statement), "path": first.path},
    )


def _statement(unit: UnitFacts, cut: Cut) -> Statement | None:
    statements = unit.first.statements if unit.first else ()
    return next((s for s in statements if s.started_ms == cut.started_ms and s.sql == cut.sql), None)


def _where(places: Places, cut: Cut, statement: Statement | None) -> str:
    """ "after statement 2 of 0042_x.py (CREATE INDEX CONCURRENTLY)"."""
    when, file = "during" if cut.during else "after", cut.path.rpartition("/")[2]
    if statement is None:
        return f"{when} a statement of {file}"
    _, _, what = places.name(statement).rpartition(": ")
    return f"{when} statement {places.number(statement)} of {file} ({what})"


def _elsewhere(cuts: Sequence[Cut]) -> str:
    first, *others = cuts
    if any(cut.later for cut in cuts):
        return " or at any later place"
    if [(cut.sql, cut.started_ms) for cut in others] == [(first.sql, first.started_ms)]:
        return " or after it"
    return f" or at {counted(len(others), 'further place')}" if others else ""


def _failure(unit: UnitFacts, cut: Cut) -> str:
    """What goes wrong loudly, "" for nothing."""
    system = unit.unit.system
    records = [refused for refused in cut.refusals if not refused.is_lock]
    if records:
        return f"{listed([r.name for r in records])} stays recorded as failed, and {system} refuses to go on"
    if cut.problem:
        return f"starting {system} again comes to no end: {cut.problem}"
    if cut.run and cut.run.exit_code:
        return f"starting {system} again fails: {_said(cut.run)}"
    return ""


def _difference(unit: UnitFacts, cut: Cut) -> str:
    """What goes wrong in silence, "" for nothing."""
    wrong = [f"{shown(table)} has {counted(here, 'row')} and not {grouped(there)}" for table, there, here in cut.rows]
    still = [name for name in cut.invalid if name.rpartition(".")[2].strip('"') in cut.diff]
    if still:
        wrong.insert(0, f"the index {listed([shown(name) for name in still])} stays INVALID")
    elif cut.diff:
        wrong.insert(0, "the schema or the bookkeeping is another one")
    return f"starting {unit.unit.system} again reports success, but {listed(wrong)}" if wrong else ""


def _said(run: ToolRun) -> str:
    """Postgres' words where they are known, else the exit code."""
    if run.failed and run.failed.error:
        return run.failed.error.message
    return f"`{' '.join(run.argv)}` ended with exit code {run.exit_code}"


def _quote(cut: Cut, statement: Statement | None) -> str:
    parts = [quoted(statement)] if statement else []
    if cut.diff:
        parts.append("- only after an uninterrupted run, + only after this one:")
        parts += cut.diff.splitlines()[:SHOWN]
    elif cut.run and cut.run.exit_code and not cut.run.failed:
        parts += cut.run.output.strip().splitlines()[-SHOWN:]
    return "\n".join(parts)


def _fix(unit: UnitFacts, cut: Cut, statement: Statement | None) -> str:
    repairs = [refused.repair for refused in cut.refusals if not refused.is_lock]
    by_hand = f"; after such a cut: {listed(repairs)}" if repairs else ""
    stepwise = statement is not None and says(statement, r"^CREATE\b.*\bCONCURRENTLY\b")
    return advice(Form.INDEX_AGAIN if stepwise else Form.AGAIN, unit.unit.system) + by_hand


def _evidence(places: Places, cut: Cut) -> dict[str, Any]:
    """``left_behind``: by the cut itself, before the tool was started again."""
    statement = _statement(places.unit, cut)
    return {
        "statement": places.number(statement) if statement else 0,
        "sql": cut.sql,
        "during": cut.during,
        "left_behind": {"refusals": [asdict(each) for each in cut.refusals], "invalid_indexes": list(cut.invalid)},
        "diff": cut.diff,
        "rows": [{"table": table, "uninterrupted": there, "again": here} for table, there, here in cut.rows],
    }
