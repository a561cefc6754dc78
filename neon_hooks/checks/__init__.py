"""Judging: pure functions from Facts to Findings, one rule or a few to a file.

A check knows no database, no tool and no Neon: everything that it needs is in the Facts. To add one,
write its file, with its rule, and name its function in CHECKS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from neon_hooks.checks import (
    acceptance,
    access,
    already_applied,
    batches,
    behind_main,
    blocked,
    breaking,
    checksums,
    concurrently,
    contents,
    deployed,
    dropped,
    edited_migration,
    evidence,
    failed_record,
    foreign_keys,
    guarantees,
    history,
    json_column,
    left_behind,
    linted,
    lock_timeouts,
    migration_fails,
    missing_down,
    models,
    nested_transaction,
    no_rows,
    not_applied,
    numbers,
    pending,
    redundant,
    replayed,
    replica_identity,
    rerun,
    reversible,
    schema_recreated,
    second_run,
    server_lacks,
    several_heads,
    several_tables,
    short_keys,
    skipped,
    stale_lock,
    status,
    together,
    triggers,
    unlogged,
)
from neon_hooks.errors import UsageError
from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity

Check = Callable[[Facts], Iterable[Finding]]

MODULES = (
    edited_migration,
    several_heads,
    numbers,
    concurrently,
    migration_fails,
    server_lacks,
    failed_record,
    stale_lock,
    blocked,
    batches,
    contents,
    deployed,
    dropped,
    breaking,
    guarantees,
    access,
    left_behind,
    replica_identity,
    lock_timeouts,
    several_tables,
    foreign_keys,
    nested_transaction,
    triggers,
    unlogged,
    redundant,
    short_keys,
    json_column,
    evidence,
    not_applied,
    skipped,
    second_run,
    rerun,
    status,
    reversible,
    behind_main,
    pending,
    checksums,
    history,
    missing_down,
    models,
    no_rows,
    already_applied,
    replayed,
    schema_recreated,
    linted,
    together,
    acceptance,
)
CATALOGUE: Mapping[str, Rule] = {rule.id: rule for module in MODULES for rule in module.RULES}
CHECKS: tuple[Check, ...] = tuple(module.check for module in MODULES)
ORDER = tuple(Severity)


def judge(facts: Facts, severities: Mapping[str, str]) -> tuple[Finding, ...]:
    """All findings, the gravest first, with the ``[rules]`` of the settings and the migrations' own
    acceptance comments applied.
    """
    findings = linted.merged([finding for check in CHECKS for finding in check(facts)])
    findings = acceptance.applied(findings, facts, CATALOGUE)
    findings = together.told(findings, facts)
    kept = [each for finding in findings if (each := _with_setting(finding, severities.get(finding.rule, "")))]
    return tuple(sorted(kept, key=lambda finding: ORDER.index(finding.severity)))


def _with_setting(finding: Finding, word: str) -> Finding | None:
    """None where it is ``off``. What is disproved or accepted is not made graver by a setting, nor what was seen
    to be harmless at this size: a note of a rule that is graver elsewhere.
    """
    if word == "off":
        return None
    is_mild = finding.severity == Severity.NOTE and CATALOGUE[finding.rule].severity != Severity.NOTE
    is_settled = is_mild or bool(finding.accepted) or linted.is_disproved(finding)
    return finding if not word or is_settled else replace(finding, severity=Severity(word))


def check_rule_ids(severities: Mapping[str, str], source: str) -> None:
    """Raise UsageError for an id that no rule has: a typing error must not switch off a check."""
    for rule in severities:
        if rule not in CATALOGUE:
            raise UsageError(
                f"{source}: `[rules]` names {rule!r}, which is not a rule",
                fix="valid rules: " + ", ".join(sorted(CATALOGUE)),
            )
