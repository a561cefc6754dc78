"""The report for programs, and the saved run that every other report can be made from again.

The shape of its older fields is fixed: other programs rely on it (format 1). saved.py reads it back, so what
reports need must be in it. The project's own configuration (Unit.options), its old migrations and tables that
no statement touched are not.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Any

from neon_hooks.facts import Catalogue, Facts, MigrationRun, Statement, ToolRun, UnitFacts
from neon_hooks.outcome import Outcome
from neon_hooks.plan import Unit
from neon_hooks.report.codec import encode, others

FORMAT = 1
FIRST, AGAIN = "apply", "apply again"  # trials
# Fields that have a place of their own in the document; saved.py reads them from there.
FACTS_TOLD = frozenset({"range", "units", "neon_branch", "timings"})
UNIT_TOLD = frozenset({"work", "migrations", "first", "again", "before", "after"})


def render(outcomes: Sequence[Outcome]) -> str:
    """One document after the other, should several refs have been pushed."""
    return "\n".join(json.dumps(document(outcome), indent=2, ensure_ascii=False) for outcome in outcomes)


def document(outcome: Outcome) -> dict[str, Any]:
    facts = outcome.facts
    systems, migrations = [], []
    for number, unit in enumerate(facts.units):
        positions = _Positions(unit.first.statements if unit.first else ())
        migrations += [_migration(number, migration, positions) for migration in unit.migrations]
        systems.append(_system(unit, positions))
    result: dict[str, Any] = {
        "format": FORMAT,
        "verdict": str(outcome.verdict),
        "range": encode(facts.range),
        "neon_branch": encode(facts.neon_branch),
        "systems": systems,
        "migrations": migrations or _only_pushed(facts),
        "schema_diff": "\n".join(unit.schema_diff for unit in facts.units if unit.schema_diff),
        "findings": encode(outcome.findings),
        "timings": {stage: round(ms, 1) for stage, ms in facts.timings.items()},
        **others(facts, FACTS_TOLD),
    }
    if outcome.error:
        result["error"] = {"message": outcome.error.message, "fix": outcome.error.fix}
    if outcome.left_over:
        result["left_over"] = outcome.left_over
    return result


def unit_document(unit: Unit) -> dict[str, Any]:
    return {
        "system": unit.system,
        "root": unit.root or ".",
        "migrations_dir": unit.migrations_dir or ".",
        "evidence": list(unit.evidence),
    }


class _Positions:
    """Where in the run a statement was, from 1. Statements of the migrations are taken out, the others remain."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._statements = statements
        self._left: defaultdict[Statement, deque[int]] = defaultdict(deque)
        for number, statement in enumerate(statements, start=1):
            self._left[statement].append(number)

    def take(self, statement: Statement) -> int:
        """0 for a statement that the run does not have."""
        numbers = self._left.get(statement)
        return numbers.popleft() if numbers else 0

    @property
    def others(self) -> list[dict[str, Any]]:
        numbers = sorted(number for numbers in self._left.values() for number in numbers)
        return [_statement(self._statements[number - 1], number) for number in numbers]


def _statement(statement: Statement, position: int) -> dict[str, Any]:
    return {**encode(statement), "position": position}


def _migration(number: int, migration: MigrationRun, positions: _Positions) -> dict[str, Any]:
    """``unit`` is the place of its migration system in ``systems``, from 0."""
    statements = [_statement(statement, positions.take(statement)) for statement in migration.statements]
    return {**encode(migration), "unit": number, "statements": statements}


def _only_pushed(facts: Facts) -> list[dict[str, Any]]:
    """What the push brings when nothing could be run."""
    return [
        {"id": m.id, "path": m.path, "system": unit.unit.system, "applied": False, "tried": False, "statements": []}
        for unit in facts.units
        for m in unit.work.pushed
    ]


def _system(unit: UnitFacts, positions: _Positions) -> dict[str, Any]:
    touched = _touched(unit)
    return {
        **unit_document(unit.unit),
        "runs": _runs(unit, positions),
        "pushed": [{"id": migration.id, "path": migration.path} for migration in unit.work.pushed],
        "edits": encode(unit.work.edits),
        "facts": others(unit, UNIT_TOLD),
        "before": _tables(unit.before, touched),
        "after": _tables(unit.after, touched),
    }


def _runs(unit: UnitFacts, positions: _Positions) -> list[dict[str, Any]]:
    """Each start of the tool, and whether it changed the schema or the bookkeeping.

    Its ``statements`` are those that belong to no migration.
    """
    runs = []
    if unit.first:
        changed = bool(unit.schema_diff) or unit.rows_before != unit.rows_after
        runs.append(_run(FIRST, unit.first, changed, positions.others))
    if unit.again:
        runs.append(_run(AGAIN, unit.again, bool(unit.again_diff), _Positions(unit.again.statements).others))
    return runs


def _run(trial: str, run: ToolRun, changed: bool, statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"trial": trial, **encode(run), "ms": round(run.ms, 1), "changed": changed, "statements": statements}


def _touched(unit: UnitFacts) -> frozenset[str]:
    """The names of the tables that the migrations had to do with."""
    return frozenset(name for s in (unit.first.statements if unit.first else ()) for name in _names(s))


def _names(statement: Statement) -> Iterable[str]:
    yield from statement.rewrites
    yield from statement.scans
    for lock in statement.locks:
        yield lock.table or lock.relation
    for lost in statement.lost:
        yield lost.relation


def _tables(catalogue: Catalogue | None, names: frozenset[str]) -> dict[str, Any] | None:
    if catalogue is None:
        return None
    return {str(oid): encode(table) for oid, table in catalogue.tables.items() if table.name in names}
