"""Findings that a comment in the migration accepts, with its reason; and comments that accept nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from neon_hooks.facts import Accepted, Facts, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found

BAD = Rule(
    id="bad-acceptance",
    severity=Severity.ERROR,
    condition="A comment `neon-hooks: accept ...` has no reason, or names a rule that is not one or cannot be accepted.",
    effect="It accepts nothing, and its author believes that it does.",
    fix="write `neon-hooks: accept RULE-ID because REASON`; the README lists the rules",
    acceptable=False,
)
UNUSED = Rule(
    id="unused-acceptance",
    severity=Severity.NOTE,
    condition="A comment `neon-hooks: accept ...` matches no finding.",
    effect="It would hide the finding from the next reader, should there ever be one.",
    fix="remove the comment",
    acceptable=False,
)
RULES = (BAD, UNUSED)


def check(facts: Facts) -> Iterator[Finding]:
    """Comments that cannot be read; what they name is compared with the catalogue in ``applied``."""
    for unit in facts.units:
        for accepted in unit.accepted:
            if accepted.problem:
                yield _bad(unit, accepted, accepted.problem)


def applied(findings: Sequence[Finding], facts: Facts, catalogue: Mapping[str, Rule]) -> list[Finding]:
    """The findings, those that a comment accepts as notes with its reason; and what is wrong with comments."""
    kept = list(findings)
    wrong: list[Finding] = []
    for unit in facts.units:
        for accepted in unit.accepted:
            problem = _wrong_rule(accepted, catalogue)
            if accepted.problem:
                continue
            if problem:
                wrong.append(_bad(unit, accepted, problem))
                continue
            matching = [number for number, finding in enumerate(kept) if _is_meant(finding, accepted, kept)]
            for number in matching:
                kept[number] = replace(kept[number], severity=Severity.NOTE, accepted=accepted.reason)
            if not matching and _all_is_known(facts, unit):
                wrong.append(_unused(unit, accepted))
    return [*kept, *wrong]


def _wrong_rule(accepted: Accepted, catalogue: Mapping[str, Rule]) -> str:
    rule = catalogue.get(accepted.rule)
    if rule is None:
        return f"{accepted.rule!r} is not a rule"
    return "" if rule.acceptable else f"{accepted.rule} cannot be accepted: it says that nothing is proven"


def _is_meant(finding: Finding, accepted: Accepted, findings: Sequence[Finding]) -> bool:
    """A finding without a line is meant by a comment anywhere in its file, if it is the only one of its rule."""
    if (finding.rule, finding.path) != (accepted.rule, accepted.path):
        return False
    if not accepted.first:
        return True
    if finding.line:
        return accepted.first <= finding.line <= accepted.last
    return sum((other.rule, other.path) == (finding.rule, finding.path) for other in findings) == 1


def _all_is_known(facts: Facts, unit: UnitFacts) -> bool:
    """Whether every check has had its say: all migrations ran."""
    return not facts.offline and unit.first is not None and not unit.first.exit_code


def _bad(unit: UnitFacts, accepted: Accepted, problem: str) -> Finding:
    return found(BAD, problem, path=accepted.path, line=accepted.line, system=unit.unit.system)


def _unused(unit: UnitFacts, accepted: Accepted) -> Finding:
    message = f"{accepted.rule} was not found here"
    return found(UNUSED, message, path=accepted.path, line=accepted.line, system=unit.unit.system)
