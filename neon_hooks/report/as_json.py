"""The report for programs. Its shape is fixed: other programs rely on it (format 1)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from neon_hooks.facts import Facts, MigrationRun, NeonBranch, Statement, UnitFacts
from neon_hooks.findings import Finding
from neon_hooks.outcome import Outcome
from neon_hooks.plan import Unit

FORMAT = 1


def render(outcome: Outcome) -> str:
    return json.dumps(document(outcome), indent=2, ensure_ascii=False)


def document(outcome: Outcome) -> dict[str, Any]:
    facts = outcome.facts
    result: dict[str, Any] = {
        "format": FORMAT,
        "verdict": str(outcome.verdict),
        "range": {"base": facts.range.base, "target": facts.range.target, "rule": facts.range.rule},
        "neon_branch": _neon_branch(facts.neon_branch),
        "systems": [{**unit_document(unit.unit), "runs": _runs(unit)} for unit in facts.units],
        "migrations": [_migration(m) for m in outcome.migrations] or _only_pushed(facts),
        "schema_diff": "\n".join(unit.schema_diff for unit in facts.units if unit.schema_diff),
        "findings": [_finding(finding) for finding in outcome.findings],
        "timings": {stage: round(ms, 1) for stage, ms in facts.timings.items()},
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


def _runs(unit: UnitFacts) -> list[dict[str, Any]]:
    """Each start of the tool, and whether it changed the schema or the bookkeeping."""
    changed = bool(unit.schema_diff) or unit.rows_before != unit.rows_after
    runs = ((unit.first, changed), (unit.again, bool(unit.again_diff)))
    return [
        {
            "argv": list(run.argv),
            "exit_code": run.exit_code,
            "ms": round(run.ms, 1),
            "replayed": run.replayed,
            "changed": change,
        }
        for run, change in runs
        if run
    ]


def _neon_branch(neon_branch: NeonBranch | None) -> dict[str, Any] | None:
    return asdict(neon_branch) if neon_branch else None


def _only_pushed(facts: Facts) -> list[dict[str, Any]]:
    """What the push brings when nothing could be run."""
    return [
        {"id": m.id, "path": m.path, "system": unit.unit.system, "applied": False, "statements": []}
        for unit in facts.units
        for m in unit.work.pushed
    ]


def _migration(migration: MigrationRun) -> dict[str, Any]:
    return {
        "id": migration.id,
        "path": migration.path,
        "system": migration.system,
        "pushed": migration.pushed,
        "applied": migration.applied,
        "applied_before": migration.applied_before,
        "statements": [_statement(statement) for statement in migration.statements],
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "sql": statement.sql,
        "line": statement.line,
        "started_ms": round(statement.started_ms, 3),
        "ms": round(statement.ms, 3),
        "transaction": statement.transaction,
        "locks": [asdict(lock) for lock in statement.locks],
        "rewrites": list(statement.rewrites),
        "scans": list(statement.scans),
        "rows": statement.rows,
        "error": asdict(statement.error) if statement.error else None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": finding.message,
        "path": finding.path,
        "line": finding.line,
        "system": finding.system,
        "evidence": dict(finding.evidence),
        "fix": finding.fix,
    }
