"""A run in a few words and figures: the head of every report for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from neon_hooks.facts import Evidence, MigrationRun
from neon_hooks.findings import Severity, counted
from neon_hooks.outcome import Outcome
from neon_hooks.report.timeline import Lane, Timeline
from neon_hooks.report.wording import commits, duration, grouped, names, relation

Figure = tuple[str, str, str, str]  # name, value, what it belongs to, class
COPIES = {"full": "a full copy", "schema-only": "a copy without rows", "anonymized": "an anonymized copy"}


def headline(outcome: Outcome) -> str:
    """The one sentence that has to be read."""
    errors = [finding for finding in outcome.findings if finding.severity == Severity.ERROR]
    if errors:
        return errors[0].message[:1].upper() + errors[0].message[1:]
    if outcome.error:
        return "It is not known whether this push is safe"
    if outcome.is_empty:
        return "This push brings no migrations"
    pushed = counted(sum(len(unit.work.pushed) for unit in outcome.facts.units), "migration")
    return f"{pushed} ran through on a copy of production"


def figures(outcome: Outcome, lines: Sequence[Timeline]) -> list[Figure]:
    """What a person looks at first. Nothing is said of locks that nobody watched."""
    if not any(line.steps for line in lines):
        return []
    ran = [unit.first for unit in outcome.facts.units if unit.first]
    told: list[Figure] = []
    if any(run.evidence != Evidence.NONE for run in ran) or any(line.lanes for line in lines):
        lanes = [lane for line in lines for lane in line.lanes]
        told.append(_longest("a read waits at most", lanes, reads=True))
        told.append(_longest("a write waits at most", lanes, reads=False))
        rewritten = sorted({name for line in lines for step in line.steps for name in step.statement.rewrites})
        names = ", ".join(map(relation, rewritten[:3])) + (" ..." if len(rewritten) > 3 else "")
        told.append(("tables rewritten", str(len(rewritten)), names, "work" if rewritten else ""))
    steps = [step for line in lines for step in line.steps if step.migration]
    told.append(("statements", grouped(len(steps)), f"in {counted(len(outcome.migrations), 'migration')}", ""))
    told.append(("the tool ran for", duration(sum(run.ms for run in ran)), "on the copy", ""))
    return told


def _longest(name: str, lanes: Sequence[Lane], *, reads: bool) -> Figure:
    def waits(lane: Lane) -> float:
        return lane.longest_read if reads else lane.longest_write

    lane = max(lanes, key=waits, default=None)
    if lane is None or not waits(lane):
        return name, "0 ms", "", ""
    return name, duration(waits(lane)), relation(lane.table), "all" if reads else "writes"


def not_validated(outcome: Outcome, most: int = 10) -> list[str]:
    """The pushed migrations whose verdict is missing, shortened."""
    waiting = [name for unit in outcome.facts.units for name in names(unit.work.pushed)]
    return waiting[:most] + (["..."] if len(waiting) > most else [])


def states(migration: MigrationRun) -> Iterable[tuple[str, str]]:
    """Class and word for what became of a migration."""
    if migration.applied:
        yield "good", "applied"
    elif migration.applied_before:
        yield "plain", "was applied before"
    else:
        yield "all", "not applied"
    if not migration.pushed:
        yield "plain", "not of this push"


def sentence(line: Timeline) -> str:
    """ "4 statements in 1 transaction, 4.2 s; writes to orders wait 4.2 s"."""
    inside = {step.statement.transaction for step in line.steps if step.statement.transaction}
    parts = counted(len(line.steps), "statement")
    if inside:
        parts += f" in {counted(len(inside), 'transaction')}"
    took = sum(step.statement.ms for step in line.steps)
    return f"{parts}, {duration(took)}" + "".join(f"; {said}" for said in waits(line)[:3])


def waits(line: Timeline) -> list[str]:
    """Who has to wait, the longest first."""
    return [waiting(lane) for lane in line.lanes if lane.blocks]


def waiting(lane: Lane) -> str:
    name = relation(lane.table)
    if not lane.reads_blocked:
        return f"writes to {name} wait {duration(lane.writes_blocked)}"
    if lane.writes_blocked - lane.reads_blocked < 1:
        return f"reads and writes of {name} wait {duration(lane.reads_blocked)}"
    return f"reads of {name} wait {duration(lane.reads_blocked)}, writes {duration(lane.writes_blocked)}"


def about(outcome: Outcome) -> list[tuple[str, str]]:
    """Where it was tried, and what became of that."""
    facts = outcome.facts
    told = [("range", f"{commits(facts)} ({facts.range.rule})"), ("git ref", facts.range.git_ref)]
    if facts.neon_branch:
        end = "deleted" if facts.neon_branch.deleted else f"expires at {facts.neon_branch.expires_at}"
        parent = facts.neon_branch.parent_name or facts.neon_branch.parent_id
        told += [
            ("test Neon database branch", f"{facts.neon_branch.name} ({facts.neon_branch.id}, {end})"),
            ("copied from", f"{parent}, {COPIES.get(facts.data, facts.data)}"),
        ]
    if facts.server_version:
        told.append(("Postgres", f"{facts.server_version // 10_000}.{facts.server_version % 10_000}"))
    for unit in facts.units:
        told.append((unit.unit.system, f"in {unit.unit.root or '.'}: {'; '.join(unit.unit.evidence)}"))
        for run in (unit.first, unit.again):
            if run:
                how = "replayed" if run.replayed else "ran"
                name = "first run" if run is unit.first else "second run"
                told.append((name, f"{how} `{' '.join(run.argv)}` for {duration(run.ms)}, exit code {run.exit_code}"))
    return told
