"""The report for people: what is wrong, why it matters, what to do. ``path:line:`` comes first."""

from __future__ import annotations

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Severity, counted
from neon_hooks.outcome import Outcome, Verdict
from neon_hooks.report import summary, wording
from neon_hooks.report.text_chart import text_chart
from neon_hooks.report.text_statements import text_statements
from neon_hooks.report.timeline import Timeline, timeline
from neon_hooks.report.wording import duration, plain

INDENT = "    "


def render(
    outcome: Outcome, *, verbose: bool, skip: str, on_unavailable: str, unicode: bool = False
) -> str:
    """The whole text, "" when there is nothing to say.

    ``skip`` is the command that goes round the hook, "" for none. ``unicode``: the reader's terminal can
    show more than ASCII.
    """
    if outcome.is_empty and not outcome.error:
        where = outcome.facts.range.git_ref if outcome.facts.offline else "this push"
        return f"{_range(outcome.facts)}\nno migrations in {where}" if verbose else ""
    shown = [f for f in outcome.findings if verbose or f.severity != Severity.NOTE]
    offers = [f for f in outcome.findings if f.command and f not in shown]
    lines = [(unit, timeline(unit)) for unit in outcome.facts.units if unit.first]
    blocks = []
    if verbose:
        blocks += [_brought(outcome.facts), *("\n".join(text_statements(unit, line)) for unit, line in lines)]
    blocks += [_finding(finding) for finding in shown]
    for _, line in lines:
        if verbose or (shown and _over_limit(line, outcome.facts)):
            blocks.append("\n".join(text_chart(line, unicode=unicode, everything=verbose)))
    if verbose:
        blocks.append("\n".join(f"note: {said}" for said in wording.unseen(outcome.facts)))
    if verbose or (shown and any(unit.deployed and unit.deployed.is_known for unit in outcome.facts.units)):
        blocks.append("\n".join(wording.coverage(outcome.facts)))
    if outcome.error:
        blocks.append(_unknown(outcome))
    if outcome.left_over:
        blocks.append(f"warning: {outcome.left_over}")
    blocks.append("\n".join(f"note: {offer.message} [{offer.rule}]" for offer in offers))
    blocks.append(_summary(outcome, verbose=verbose, skip=skip, on_unavailable=on_unavailable))
    return plain("\n\n".join(block for block in blocks if block))


def _range(facts: Facts) -> str:
    return f"range: {wording.commits(facts)} ({facts.range.rule})"


def _brought(facts: Facts) -> str:
    """Range and migrations, one line each."""
    lines = [_range(facts)]
    for unit in facts.units:
        lines.append(f"{unit.unit.system} in {unit.unit.root or '.'}: {'; '.join(unit.unit.evidence)}")
        lines += [f"{INDENT}new: {name}" for name in wording.names(unit.work.pushed)]
        lines += [f"{INDENT}{edit.what}: {edit.path}" for edit in unit.work.edits]
        if unit.schema_diff:
            lines += [f"{INDENT}schema:", *(INDENT * 2 + line for line in unit.schema_diff.splitlines())]
    if facts.timings:
        lines.append("time: " + ", ".join(f"{stage} {duration(ms)}" for stage, ms in facts.timings.items()))
    return "\n".join(lines)


def _over_limit(line: Timeline, facts: Facts) -> bool:
    """Whether somebody has to wait for longer than the settings allow."""
    limits = ((lane, facts.limits.of(lane.table)) for lane in line.lanes)
    return any(
        lane.longest_read > limit.reads_blocked or lane.longest_write > limit.writes_blocked for lane, limit in limits
    )


def _finding(finding: Finding) -> str:
    place = wording.place_of(finding)
    where = f"{place}: " if place else ""
    word = "" if finding.severity == Severity.ERROR else f"{finding.severity}: "
    if finding.accepted:
        return f"{where}accepted because {finding.accepted}: {finding.message} [{finding.rule}]"
    lines = [f"{where}{word}{finding.message} [{finding.rule}]"]
    lines += [INDENT + line for line in finding.quote.splitlines()]
    effect = wording.effect(finding.rule)
    lines += [f"  why: {effect}"] if effect else []
    first, *others = finding.fix.splitlines() or [""]
    lines += [f"  fix: {first}", *(f"       {line}" for line in others)]
    return "\n".join(lines)


def _unknown(outcome: Outcome) -> str:
    assert outcome.error is not None
    lines = [f"could not validate: {outcome.error.message}"]
    if outcome.error.fix:
        lines.append(f"  fix: {outcome.error.fix}")
    waiting = summary.not_validated(outcome)
    if waiting:
        lines.append("  not validated: " + ", ".join(waiting))
    return "\n".join(lines)


def _summary(outcome: Outcome, *, verbose: bool, skip: str, on_unavailable: str) -> str:
    offline = outcome.facts.offline
    noun = "new migration" if offline else "pushed migration"
    pushed = counted(sum(len(unit.work.pushed) for unit in outcome.facts.units), noun)
    if outcome.verdict == Verdict.PASS:
        return f"{'read' if offline else 'validated'} {pushed}{_place(outcome)}" if verbose else ""
    if outcome.verdict == Verdict.UNKNOWN:
        if on_unavailable == "warn":
            return 'let through all the same, because the settings say on_unavailable = "warn"'
        return "stopped: it is not known whether this push is safe" + (
            f"\nto go on without the answer: {skip}" if skip else ""
        )
    errors = counted(sum(f.severity == Severity.ERROR for f in outcome.findings), "error")
    return f"blocked: {errors} in {pushed}{_place(outcome)}" + (f"\nto skip this check once: {skip}" if skip else "")


def _place(outcome: Outcome) -> str:
    """Where it was tried, and that nothing of it remains."""
    neon_branch = outcome.facts.neon_branch
    if neon_branch is None:
        return ""
    seconds = outcome.facts.timings.get("total", 0.0) / 1000
    end = "deleted" if neon_branch.deleted else f"expires at {neon_branch.expires_at}"
    after = " and ".join(step.git_ref for step in outcome.facts.range.after)
    return (
        f", tried{f' after {after}' if after else ''} on the test Neon database branch {neon_branch.id} of {neon_branch.parent_name} ({end})"
        f" in {seconds:.1f} s"
    )
