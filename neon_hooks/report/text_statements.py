"""Migrations and their statements for a terminal, with --verbose: what was sent and what it did. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from neon_hooks.facts import Statement, UnitFacts
from neon_hooks.lockmodes import blocks
from neon_hooks.report import summary
from neon_hooks.report.effects import chosen, chosen_migrations, dropped, held, locks_by_table, lost, weighty
from neon_hooks.report.timeline import Step, Timeline
from neon_hooks.report.wording import duration, grouped, one_line, relation

MAX_MIGRATIONS = 100
MAX_STATEMENTS = 40  # of one migration
MAX_LOCKS = 5  # of one statement
SQL = 90
INDENT = "    "


def text_statements(unit: UnitFacts, timeline: Timeline) -> list[str]:
    lines = []
    migrations = chosen_migrations(timeline, unit.migrations, MAX_MIGRATIONS)
    for migration in migrations:
        states = ", ".join(word for _, word in summary.states(migration))
        section = timeline.section_of(migration)
        if section is None:
            lines.append(f"{migration.path} ({states})")
            continue
        inside = timeline.within(section)
        lines.append(f"{migration.path} ({states}): {summary.sentence(inside)}")
        shown = chosen(inside.steps, MAX_STATEMENTS)
        for step in shown:
            lines += _statement(step)
        if len(shown) < len(inside.steps):
            lines.append(f"{INDENT}... and {grouped(len(inside.steps) - len(shown))} more: --format json has them")
    if len(migrations) < len(unit.migrations):
        left_out = grouped(len(unit.migrations) - len(migrations))
        lines.append(f"... and {left_out} more migrations: --format json has them")
    return lines


def _statement(step: Step) -> Iterable[str]:
    statement = step.statement
    line = f"line {statement.line}" if statement.line else ""
    rows = f" ({grouped(statement.rows)} rows)" if statement.rows is not None else ""
    yield f"{INDENT}{step.place:>3}  {line:<9} {duration(statement.ms):>8}  {one_line(statement.sql, SQL)}{rows}"
    yield from (f"{INDENT}{'':>5}{said}" for said in _did(statement))


def _did(statement: Statement) -> Iterable[str]:
    if statement.error:
        yield f"failed: {statement.error.message}"
    tables = locks_by_table(statement)
    for lock, _ in tables[:MAX_LOCKS]:
        waits = blocks(lock.mode)
        name = relation(lock.table or lock.relation)
        yield f"{name}: {lock.mode}, blocks {waits or 'neither reads nor writes'}, {held(lock, statement)}"
    if len(tables) > MAX_LOCKS:
        yield f"... and locks on {len(tables) - MAX_LOCKS} more tables"
    if statement.rewrites:
        yield "rewrites " + ", ".join(map(relation, statement.rewrites))
    if statement.scans:
        yield "reads all of " + ", ".join(map(relation, statement.scans))
    yield from map(dropped, statement.dropped)
    yield from map(lost, statement.lost)
    if statement.lock_timeout_ms == 0 and weighty(statement):
        yield "no lock_timeout"
