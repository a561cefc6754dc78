"""The verdict as JUnit's XML, which every CI shows: a test case for each migration that was pushed.

There is no standard; this keeps to what Jenkins, GitLab and GitHub's actions read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from neon_hooks.facts import UnitFacts
from neon_hooks.findings import Finding, Severity
from neon_hooks.outcome import Outcome
from neon_hooks.report.wording import effect, place_of, plain

PUSH = "the push as a whole"


def render(outcomes: Sequence[Outcome]) -> str:
    suites = [suite for outcome in outcomes for suite in _suites(outcome)]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", *suites, "</testsuites>"])


def _suites(outcome: Outcome) -> Iterable[str]:
    """One for each unit; what belongs to no migration of any has a case of its own."""
    for unit in outcome.facts.units:
        yield _suite(f"{unit.unit.system} in {unit.unit.root or '.'}", _cases(unit, outcome))
    known = {m.path for unit in outcome.facts.units for m in unit.work.pushed}
    by_path: dict[str, list[Finding]] = {}
    for finding in outcome.findings:
        if finding.path not in known:
            by_path.setdefault(finding.path or PUSH, []).append(finding)
    if by_path:
        yield _suite("push", [_case("push", path, 0.0, found, "") for path, found in by_path.items()])


def _cases(unit: UnitFacts, outcome: Outcome) -> list[str]:
    took = {m.path: sum(s.ms for s in m.statements) for m in unit.migrations}
    error = outcome.error.message if outcome.error else ""
    return [
        _case(
            unit.unit.system,
            migration.path,
            took.get(migration.path, 0.0),
            [finding for finding in outcome.findings if finding.path == migration.path],
            error if migration.path not in took else "",
        )
        for migration in unit.work.pushed
    ]


def _suite(name: str, cases: Sequence[str]) -> str:
    failures = sum("<failure" in case for case in cases)
    errors = sum("<error" in case for case in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="0"'
    return "\n".join([f"  <testsuite name={_attribute(name)} {counts}>", *cases, "  </testsuite>"])


def _case(system: str, path: str, ms: float, findings: Sequence[Finding], error: str) -> str:
    """Errors are failures; the others are only said."""
    inside = []
    for finding in findings:
        if finding.severity == Severity.ERROR:
            message = f"message={_attribute(finding.message)} type={_attribute(finding.rule)}"
            inside.append(f"<failure {message}>{_text(_told(finding))}</failure>")
    if error:
        inside.append(f'<error message={_attribute(error)} type="unavailable"/>')
    said = [_told(finding) for finding in findings if finding.severity != Severity.ERROR]
    if said:
        inside.append(f"<system-out>{_text(chr(10).join(said))}</system-out>")
    names = f"classname={_attribute(system)} name={_attribute(path)} file={_attribute(path)}"
    head = f'<testcase {names} time="{ms / 1000:.3f}"'
    if not inside:
        return f"    {head}/>"
    return "\n".join([f"    {head}>", *(f"      {one}" for one in inside), "    </testcase>"])


def _told(finding: Finding) -> str:
    place = place_of(finding)
    lines = [f"{place}: {finding.message}" if place else finding.message, *finding.quote.splitlines()]
    why = effect(finding.rule)
    lines += [f"why: {why}"] if why else []
    return "\n".join([f"{finding.severity}: {lines[0]} [{finding.rule}]", *lines[1:], f"fix: {finding.fix}"])


def _text(text: str) -> str:
    """XML 1.0 has no way to write most control characters; plain() has made them visible."""
    return escape(_allowed(text))


def _attribute(text: str) -> str:
    return quoteattr(_allowed(text), {"\n": "&#10;", "\t": "&#9;"})


def _allowed(text: str) -> str:
    return plain(text).replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")
