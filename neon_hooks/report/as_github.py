"""The findings as GitHub's workflow commands, which become notes at the lines of a pull request.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands: values of properties and
the text have escapes of their own. GitHub shows ten of a kind and step, so the gravest come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from neon_hooks.findings import Finding, Severity
from neon_hooks.outcome import Outcome
from neon_hooks.report.wording import effect, plain

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
IN_TEXT = {"%": "%25", "\r": "%0D", "\n": "%0A"}
IN_PROPERTY = {**IN_TEXT, ":": "%3A", ",": "%2C"}


def render(outcomes: Sequence[Outcome]) -> str:
    return "\n".join(line for outcome in outcomes for line in _lines(outcome))


def _lines(outcome: Outcome) -> Iterable[str]:
    yield from (_finding(finding) for finding in outcome.findings)
    if outcome.error:
        fix = f"\nfix: {outcome.error.fix}" if outcome.error.fix else ""
        yield _command("error", {"title": "neon-hooks could not validate"}, outcome.error.message + fix)
    if outcome.left_over:
        yield _command("warning", {"title": "neon-hooks"}, outcome.left_over)


def _finding(finding: Finding) -> str:
    properties = {"title": f"neon-hooks: {finding.rule}"}
    if finding.path:
        properties = {"file": finding.path, "line": str(max(1, finding.line)), **properties}
    why = effect(finding.rule)
    told = [finding.message, *([finding.quote] if finding.quote else []), *([f"why: {why}"] if why else [])]
    return _command(COMMANDS[finding.severity], properties, "\n".join([*told, f"fix: {finding.fix}"]))


def _command(name: str, properties: Mapping[str, str], text: str) -> str:
    given = ",".join(f"{key}={_escaped(value, IN_PROPERTY)}" for key, value in properties.items())
    return f"::{name} {given}::{_escaped(text, IN_TEXT)}"


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in plain(text))
