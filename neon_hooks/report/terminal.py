"""The report for people: what is wrong, why it matters, what to do. ``path:line:`` comes first."""

from __future__ import annotations

from neon_hooks.checks import CATALOGUE
from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Severity, counted
from neon_hooks.outcome import Outcome, Verdict

INDENT = "    "
SHORT = 12  # characters of a commit id


def render(outcome: Outcome, *, verbose: bool, skip: str, on_unavailable: str) -> str:
    """The whole text, "" when there is nothing to say. ``skip`` is the command that goes round the hook."""
    if outcome.is_empty and not outcome.error:
        return f"{_range(outcome.facts)}\nno migrations in this push" if verbose else ""
    shown = [f for f in outcome.findings if verbose or f.severity != Severity.NOTE]
    blocks = [_finding(finding) for finding in shown]
    if verbose:
        blocks.insert(0, _brought(outcome.facts))
    if outcome.error:
        blocks.append(_unknown(outcome))
    if outcome.left_over:
        blocks.append(f"warning: {outcome.left_over}")
    blocks.append(_summary(outcome, verbose=verbose, skip=skip, on_unavailable=on_unavailable))
    return "\n\n".join(block for block in blocks if block)


def _range(facts: Facts) -> str:
    base = (facts.range.base or "")[:SHORT] or "(nothing)"
    return f"range: {base}..{facts.range.target[:SHORT]} ({facts.range.rule})"


def _brought(facts: Facts) -> str:
    """Range and migrations, one line each."""
    lines = [_range(facts)]
    for unit in facts.units:
        lines.append(f"{unit.unit.system} in {unit.unit.root or '.'}: {'; '.join(unit.unit.evidence)}")
        lines += [f"{INDENT}new: {migration.path}" for migration in unit.work.pushed]
        lines += [f"{INDENT}{edit.what}: {edit.path}" for edit in unit.work.edits]
        if unit.schema_diff:
            lines += [f"{INDENT}schema:", *(INDENT * 2 + line for line in unit.schema_diff.splitlines())]
    if facts.timings:
        lines.append("time: " + ", ".join(f"{stage} {ms / 1000:.1f} s" for stage, ms in facts.timings.items()))
    return "\n".join(lines)


def _finding(finding: Finding) -> str:
    where = f"{finding.path}:{finding.line}: " if finding.line else f"{finding.path}: " if finding.path else ""
    word = "" if finding.severity == Severity.ERROR else f"{finding.severity}: "
    lines = [f"{where}{word}{finding.message} [{finding.rule}]"]
    lines += [INDENT + line for line in finding.quote.splitlines()]
    lines.append(f"  why: {CATALOGUE[finding.rule].effect}")
    lines.append(f"  fix: {finding.fix}")
    return "\n".join(lines)


def _unknown(outcome: Outcome) -> str:
    assert outcome.error is not None
    lines = [f"could not validate: {outcome.error.message}"]
    if outcome.error.fix:
        lines.append(f"  fix: {outcome.error.fix}")
    waiting = [m.path for unit in outcome.facts.units for m in unit.work.pushed]
    if waiting:
        lines.append("  not validated: " + ", ".join(waiting[:10]) + (" ..." if len(waiting) > 10 else ""))
    return "\n".join(lines)


def _summary(outcome: Outcome, *, verbose: bool, skip: str, on_unavailable: str) -> str:
    pushed = counted(sum(len(unit.work.pushed) for unit in outcome.facts.units), "pushed migration")
    if outcome.verdict == Verdict.PASS:
        return f"validated {pushed}{_place(outcome)}" if verbose else ""
    if outcome.verdict == Verdict.UNKNOWN:
        if on_unavailable == "warn":
            return 'let through all the same, because the settings say on_unavailable = "warn"'
        return f"stopped: it is not known whether this push is safe\nto go on without the answer: {skip}"
    errors = counted(sum(f.severity == Severity.ERROR for f in outcome.findings), "error")
    return f"blocked: {errors} in {pushed}{_place(outcome)}\nto skip this check once: {skip}"


def _place(outcome: Outcome) -> str:
    """Where it was tried, and that nothing of it remains."""
    neon_branch = outcome.facts.neon_branch
    if neon_branch is None:
        return ""
    seconds = outcome.facts.timings.get("total", 0.0) / 1000
    end = "deleted" if neon_branch.deleted else f"expires at {neon_branch.expires_at}"
    return (
        f", tried on the test Neon database branch {neon_branch.id} of {neon_branch.parent_name} ({end})"
        f" in {seconds:.1f} s"
    )
