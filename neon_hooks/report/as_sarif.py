"""The findings for code scanning: SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from neon_hooks.checks import CATALOGUE
from neon_hooks.findings import Finding, Severity
from neon_hooks.outcome import Outcome
from neon_hooks.report.wording import plain

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://github.com/neon-hooks/neon-hooks"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render(outcomes: Sequence[Outcome]) -> str:
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(outcome) for outcome in outcomes]}
    return json.dumps(log, indent=2, ensure_ascii=False)


def _run(outcome: Outcome) -> dict[str, Any]:
    rules = sorted({finding.rule for finding in outcome.findings})
    driver = {
        "name": "neon-hooks",
        "informationUri": HOME,
        "version": version("neon-hooks"),
        "rules": [_rule(rule) for rule in rules],
    }
    return {
        "tool": {"driver": driver},
        "invocations": [_invocation(outcome)],
        "results": [_result(finding, rules.index(finding.rule)) for finding in outcome.findings],
        "columnKind": "unicodeCodePoints",
    }


def _invocation(outcome: Outcome) -> dict[str, Any]:
    """What could not be validated is told as the tool's own trouble, not as a finding."""
    told: dict[str, Any] = {"executionSuccessful": outcome.error is None}
    if outcome.error:
        message = plain(f"could not validate: {outcome.error.message}")
        told["toolExecutionNotifications"] = [{"level": "error", "message": {"text": message}}]
    return told


def _rule(id: str) -> dict[str, Any]:
    rule = CATALOGUE.get(id)
    if rule is None:  # of another version, in a saved run
        return {"id": plain(id), "shortDescription": {"text": plain(id)}}
    text = f"{rule.condition} {rule.effect}\nFix: {rule.fix}."
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.condition},
        "fullDescription": {"text": f"{rule.condition} {rule.effect}"},
        "help": {"text": text, "markdown": f"{text}{_example('Bad', rule.bad)}{_example('Good', rule.good)}"},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }


def _example(title: str, sql: str) -> str:
    return f"\n\n{title}:\n\n```sql\n{sql}\n```" if sql else ""


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = finding.message + (f"\nFix: {finding.fix}" if finding.fix else "")
    result: dict[str, Any] = {
        "ruleId": plain(finding.rule),
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": plain(text)},
    }
    if finding.accepted:
        result["suppressions"] = [{"kind": "inSource", "justification": plain(finding.accepted)}]
    if finding.path:
        artifact = {"uri": quote(finding.path, errors="backslashreplace"), "uriBaseId": "%SRCROOT%"}
        place: dict[str, Any] = {"artifactLocation": artifact}
        # Lines count from 1; a finding about the whole file stands at its first.
        place["region"] = {"startLine": max(1, finding.line)}
        result["locations"] = [{"physicalLocation": place}]
    return result
