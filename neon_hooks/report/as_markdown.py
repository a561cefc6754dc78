"""The report as a comment on a pull or merge request: GitHub's and GitLab's Markdown, as text only.

Text of others stands in code spans and fences where it can, and is escaped elsewhere: it may not format the
comment, link, or mention anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from neon_hooks.facts import MigrationRun, UnitFacts
from neon_hooks.findings import Finding, Severity
from neon_hooks.outcome import Outcome, Verdict
from neon_hooks.report import summary, wording
from neon_hooks.report.effects import chosen, chosen_migrations, dropped, locks_by_table, lost
from neon_hooks.report.text_chart import text_chart
from neon_hooks.report.timeline import Step, Timeline, timeline
from neon_hooks.report.wording import duration, grouped, one_line, plain, relation

MARK = "<!-- neon-hooks -->"  # by which a comment of an earlier run can be found and replaced
MOST = 60_000  # characters; GitHub takes 65 536
MAX_STATEMENTS = 120  # of one migration system, shared out evenly
FEWEST = 3  # of one migration
MAX_MIGRATIONS = 50
MAX_QUOTE = 2_000  # characters
SQL = 120
VERDICTS = {
    Verdict.PASS: ":white_check_mark: passed",
    Verdict.BLOCK: ":x: blocked",
    Verdict.UNKNOWN: ":grey_question: not validated",
}
SEVERITIES = {Severity.ERROR: ":x:", Severity.WARNING: ":warning:", Severity.NOTE: ":information_source:"}
SPECIAL = re.compile(r"([\\`*\[\]<>#|~&$]|(?<!\w)_|_(?!\w))")
CALLING = re.compile(r"(?<!\w)[@#!](?=\w)")  # @team, #12, !12
URL = re.compile(r"(https?://[^\s<>]*[^\s<>.,;:)'\"`])")
TICKS = re.compile("`+")


def render(outcomes: Sequence[Outcome]) -> str:
    text = "\n\n---\n\n".join(_outcome(outcome, MOST // len(outcomes)) for outcome in outcomes)
    return f"{MARK}\n{text}" if text else ""


def _outcome(outcome: Outcome, most: int) -> str:
    lines = [(unit, timeline(unit)) for unit in outcome.facts.units]
    blocks = [
        f"### neon-hooks: {VERDICTS[outcome.verdict]}",
        escaped(summary.headline(outcome)) + ".",
        _unknown(outcome),
        _table(outcome, lines),
        *(escaped(f"Note: {said}.") for said in wording.unseen(outcome.facts)),
        *(escaped(f"{said[:1].upper()}{said[1:]}.") for said in wording.coverage(outcome.facts)),
        *(_finding(finding) for finding in outcome.findings),
        *(_picture(line) for _, line in lines),
    ]
    blocks += [_statements(unit, line) for unit, line in lines]
    blocks += [_folded("Schema", fenced(unit.schema_diff, "diff")) for unit, _ in lines if unit.schema_diff]
    blocks.append(_place(outcome))
    return _fitting([block for block in blocks if block], most)


def _fitting(blocks: Sequence[str], most: int) -> str:
    """Whole blocks only: half a fence or half a table would spoil the rest of the comment."""
    kept, length = [], 0
    for block in blocks:
        length += len(block) + 2
        if length > most:
            kept.append("*Shortened: `--html` and `--format json` have all of it.*")
            break
        kept.append(block)
    return "\n\n".join(kept)


def escaped(text: str) -> str:
    """Text that formats nothing and calls nobody. Addresses stay links."""
    parts = URL.split(" ".join(plain(text).split()))
    return "".join(f"<{part}>" if number % 2 else _quiet(part) for number, part in enumerate(parts))


def _quiet(text: str) -> str:
    """A word joiner keeps the sign from its word, and is not seen."""
    return SPECIAL.sub(r"\\\1", CALLING.sub(lambda found: f"{found[0]}\u2060", text))


def code(text: str) -> str:
    """A code span, also in the cell of a table (https://github.github.com/gfm/#tables-extension-)."""
    line = " ".join(plain(text).split()).replace("|", r"\|")
    if not line:
        return ""
    fence = "`" * (max((len(found) for found in TICKS.findall(line)), default=0) + 1)
    pad = " " if "`" in line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def fenced(text: str, language: str = "") -> str:
    shown = plain(text.rstrip())
    if len(shown) > MAX_QUOTE * 5:
        shown = shown[: MAX_QUOTE * 5] + "\n..."
    fence = "`" * max(3, max((len(found) for found in TICKS.findall(shown)), default=0) + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def _folded(title: str, inside: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{inside}\n\n</details>"


def _unknown(outcome: Outcome) -> str:
    lines = []
    if outcome.error:
        lines.append(f"**Could not validate:** {escaped(outcome.error.message)}")
        lines += [f"**Fix:** {escaped(outcome.error.fix)}"] if outcome.error.fix else []
        missing = summary.not_validated(outcome)
        lines += ["Not validated: " + ", ".join(map(code, missing))] if missing else []
    lines += [f"**Warning:** {escaped(outcome.left_over)}"] if outcome.left_over else []
    return "\n\n".join(lines)


def _rows(head: Sequence[str], right: Iterable[int], rows: Iterable[Sequence[str]]) -> str:
    numbers = set(right)
    rule = ["---:" if place in numbers else "---" for place in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def _table(outcome: Outcome, lines: Sequence[tuple[UnitFacts, Timeline]]) -> str:
    chosen_ones = [(line, chosen_migrations(line, unit.migrations, MAX_MIGRATIONS)) for unit, line in lines]
    rows = [_migration(migration, line) for line, migrations in chosen_ones for migration in migrations]
    head = ("migration", "", "time", "statements", "longest wait of a read", "of a write")
    left_out = len(outcome.migrations) - len(rows)
    more = f"\n\nLeft out: {grouped(left_out)} further migrations." if left_out else ""
    return _rows(head, (2, 3, 4, 5), rows) + more if rows else ""


def _migration(migration: MigrationRun, line: Timeline) -> list[str]:
    states = ", ".join(word for _, word in summary.states(migration))
    section = line.section_of(migration)
    if section is None:
        return [code(migration.path), states, "", "", "", ""]
    inside = line.within(section)
    took = sum(step.statement.ms for step in inside.steps)
    reads = max(inside.lanes, key=lambda lane: lane.longest_read, default=None)
    writes = max(inside.lanes, key=lambda lane: lane.longest_write, default=None)
    waits = [
        f"{duration(ms)} {code(relation(lane.table))}" if lane and ms else ""
        for lane, ms in (
            (reads, reads.longest_read if reads else 0.0),
            (writes, writes.longest_write if writes else 0.0),
        )
    ]
    return [code(migration.path), states, duration(took), grouped(len(inside.steps)), *waits]


def _finding(finding: Finding) -> str:
    place = wording.place_of(finding)
    lines = [f"**{SEVERITIES[finding.severity]} {escaped(finding.message)}**"]
    lines.append(" ".join(filter(None, (code(finding.rule), code(place)))))
    if finding.quote:
        lines.append(fenced(finding.quote[:MAX_QUOTE]))
    effect = wording.effect(finding.rule)
    lines += [f"**Why:** {escaped(effect)}"] if effect else []
    if "\n" in finding.fix.strip():
        lines += ["**Fix:**", fenced(finding.fix)]
    elif finding.fix:
        lines.append(f"**Fix:** {escaped(finding.fix)}")
    return "\n\n".join(lines)


def _picture(line: Timeline) -> str:
    drawn = text_chart(line, unicode=True, everything=False)
    return fenced("\n".join(drawn)) if drawn else ""


def _statements(unit: UnitFacts, line: Timeline) -> str:
    parts = []
    migrations = chosen_migrations(line, unit.migrations, MAX_MIGRATIONS)
    most = max(FEWEST, MAX_STATEMENTS // max(1, len(migrations)))
    for migration in migrations:
        section = line.section_of(migration)
        if section is None:
            continue
        inside = line.within(section)
        shown = chosen(inside.steps, most)
        head = ("#", "line", "statement", "time", "rows", "what it did")
        table = _rows(head, (0, 1, 3, 4), (_statement(step) for step in shown))
        if len(shown) < len(inside.steps):
            table += f"\n\nLeft out: {grouped(len(inside.steps) - len(shown))} further statements."
        parts.append(f"{code(migration.path)}: {escaped(summary.sentence(inside))}\n\n{table}")
    number = grouped(sum(1 for step in line.steps if step.migration))
    title = f"Statements of {escaped(unit.unit.system)} ({number})"
    return _folded(title, "\n\n".join(parts)) if parts else ""


def _statement(step: Step) -> list[str]:
    statement = step.statement
    did = [f"failed: {code(statement.error.message)}"] if statement.error else []
    for lock, _ in locks_by_table(statement)[:3]:
        did.append(code(f"{relation(lock.table or lock.relation)}: {lock.mode} {duration(lock.held_ms)}"))
    did += [f"rewrites {code(relation(name))}" for name in statement.rewrites]
    did += [f"reads all of {code(relation(name))}" for name in statement.scans]
    did += [code(dropped(one)) for one in statement.dropped[:5]]
    did += [code(lost(one)) for one in statement.lost[:5]]
    rows = "" if statement.rows is None else grouped(statement.rows)
    line = str(statement.line or "")
    return [str(step.place), line, code(one_line(statement.sql, SQL)), duration(statement.ms), rows, ", ".join(did)]


def _place(outcome: Outcome) -> str:
    facts = outcome.facts
    told = [f"Range {code(wording.commits(facts))}"]
    if facts.neon_branch:
        end = "deleted" if facts.neon_branch.deleted else f"expires at {escaped(facts.neon_branch.expires_at)}"
        told.append(f"tried on the test Neon database branch {code(facts.neon_branch.id)} ({end})")
    if "total" in facts.timings:
        told.append(f"in {duration(facts.timings['total'])}")
    return f"<sub>{', '.join(told[:2])} {' '.join(told[2:])}</sub>".replace(" </sub>", "</sub>")


