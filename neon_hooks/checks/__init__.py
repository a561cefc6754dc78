"""Judging: pure functions from Facts to Findings, one rule or a few to a file.

A check knows no database, no tool and no Neon: everything that it needs is in the Facts. To add one,
write its file, with its rule, and name its function in CHECKS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from neon_hooks.checks import (
    already_applied,
    behind_main,
    edited_migration,
    migration_fails,
    missing_down,
    no_rows,
    not_applied,
    numbers,
    replayed,
    schema_recreated,
    second_run,
    several_heads,
    skipped,
    stale_lock,
)
from neon_hooks.errors import UsageError
from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity

Check = Callable[[Facts], Iterable[Finding]]

MODULES = (
    edited_migration,
    several_heads,
    numbers,
    migration_fails,
    stale_lock,
    not_applied,
    skipped,
    second_run,
    behind_main,
    missing_down,
    no_rows,
    already_applied,
    replayed,
    schema_recreated,
)
CATALOGUE: Mapping[str, Rule] = {rule.id: rule for module in MODULES for rule in module.RULES}
CHECKS: tuple[Check, ...] = tuple(module.check for module in MODULES)
ORDER = tuple(Severity)


def judge(facts: Facts, severities: Mapping[str, str]) -> tuple[Finding, ...]:
    """All findings, the gravest first, with the ``[rules]`` of the settings applied."""
    findings = [finding for check in CHECKS for finding in check(facts)]
    kept = []
    for finding in findings:
        word = severities.get(finding.rule, finding.severity)
        if word != "off":
            kept.append(replace(finding, severity=Severity(word)))
    return tuple(sorted(kept, key=lambda finding: ORDER.index(finding.severity)))


def check_rule_ids(severities: Mapping[str, str], source: str) -> None:
    """Raise UsageError for an id that no rule has: a typing error must not switch off a check."""
    for rule in severities:
        if rule not in CATALOGUE:
            raise UsageError(
                f"{source}: `[rules]` names {rule!r}, which is not a rule",
                fix="valid rules: " + ", ".join(sorted(CATALOGUE)),
            )
