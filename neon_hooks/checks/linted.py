"""What the linter says of the migrations' SQL, beside what was observed: confirmed, disproved, or from text only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from neon_hooks.checks import lints
from neon_hooks.checks.disproofs import disproof
from neon_hooks.checks.lints import UNUSED_IGNORE, meaning
from neon_hooks.facts import Facts, Linted, UnitFacts
from neon_hooks.findings import Finding, Severity, found

RULES = lints.RULES
QUOTED_LINES = 10
LINTER = "linter"  # the key of the evidence that says which rule of squawk's it was
DISPROVED = "disproved"
ORDER = tuple(Severity)
# What was observed says more than the text: the same hazard under the name of its effect.
ALSO = {"breaking-drop": ("data-dropped", "cascaded-drop", "object-dropped")}


def check(facts: Facts) -> Iterator[Finding]:
    """One finding for each statement and rule of ours. What is disproved stays as a note that says by what."""
    for unit in facts.units:
        told: set[tuple[str, int, str, str]] = set()
        for linted in unit.linted:
            if linted.rule == UNUSED_IGNORE:
                continue
            finding = _finding(facts, unit, linted)
            key = (linted.path, linted.first, linted.sql, finding.rule)
            if key not in told:
                told.add(key)
                yield finding


def _finding(facts: Facts, unit: UnitFacts, linted: Linted) -> Finding:
    lint = meaning(linted.rule, linted.sql)
    against = disproof(facts, unit, linted, lint.rule.id)
    severity = lint.severity or lint.rule.severity
    if against:
        severity = Severity.NOTE
    elif not facts.offline:  # there was, or could have been, a better witness
        severity = max(severity, Severity.WARNING, key=ORDER.index)
    return found(
        lint.rule,
        f"{lint.message}; disproved: {against}" if against else _with_reason(lint, linted),
        path=linted.path,
        line=linted.line,
        system=unit.unit.system,
        severity=severity,
        quote="" if against else _quote(linted.sql),
        evidence={
            LINTER: linted.rule,
            "statement": linted.sql,
            "lines": [linted.first, linted.last],
            **({DISPROVED: against} if against else {}),
        },
    )


def is_disproved(finding: Finding) -> bool:
    return DISPROVED in finding.evidence


def _with_reason(lint: lints.Lint, linted: Linted) -> str:
    """squawk's own words where they are about this very text, or we have none."""
    if lint.rule is lints.OTHER or linted.rule == "syntax-error":
        return f"{lint.message}: {linted.message}"
    return lint.message


def _quote(sql: str) -> str:
    lines = sql.strip().splitlines()
    more = [f"... ({len(lines) - QUOTED_LINES} more lines)"] if len(lines) > QUOTED_LINES else []
    return "\n".join([*lines[:QUOTED_LINES], *more])


def merged(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, where one that was observed and one from text are the same: one, with both as evidence."""
    observed = [finding for finding in findings if LINTER not in finding.evidence]
    kept: list[Finding] = []
    confirmed: dict[int, str] = {}
    for finding in findings:
        twin = None if LINTER not in finding.evidence else _twin(finding, observed)
        if twin is None:
            kept.append(finding)
        else:
            confirmed[id(twin)] = finding.evidence[LINTER]
    return [
        replace(f, evidence={**f.evidence, LINTER: confirmed[id(f)]}) if id(f) in confirmed else f for f in kept
    ]


def _twin(static: Finding, observed: Iterable[Finding]) -> Finding | None:
    """What was observed at the same statement: the same hazard, at its text or on its lines."""
    first, last = static.evidence["lines"]
    rules = (static.rule, *ALSO.get(static.rule, ()))
    for finding in observed:
        if finding.rule not in rules or finding.path != static.path:
            continue
        same_text = finding.evidence.get("statement") == static.evidence["statement"]
        if same_text or (finding.line and first <= finding.line <= last):
            return finding
    return None
