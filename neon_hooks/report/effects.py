"""What single statements did to others, in the order in which a person wants to know it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from neon_hooks.facts import Dropped, LockHeld, Lost, MigrationRun, Statement
from neon_hooks.lockmodes import CONFLICTS, blocks
from neon_hooks.report.timeline import STRENGTH, Step, Timeline
from neon_hooks.report.wording import duration, grouped, relation

MODES = tuple(CONFLICTS)
LINGERS = 5.0  # milliseconds after a statement that are no accident of measuring


def locks_by_table(statement: Statement) -> list[tuple[LockHeld, list[LockHeld]]]:
    """For each table that existed before: its gravest lock, and all of them. The gravest tables first."""
    tables: dict[str, list[LockHeld]] = {}
    for lock in statement.locks:
        if lock.existed_before:
            tables.setdefault(lock.table or lock.relation, []).append(lock)
    pairs = [(max(locks, key=_gravity), locks) for locks in tables.values()]
    return sorted(pairs, key=lambda pair: _gravity(pair[0]), reverse=True)


def _gravity(lock: LockHeld) -> tuple[int, int, float]:
    """Whom it makes wait, then the mode: the manual lists them from the weakest to the strongest."""
    rank = MODES.index(lock.mode) if lock.mode in MODES else -1
    return STRENGTH.index(blocks(lock.mode)), rank, lock.held_ms


def held(lock: LockHeld, statement: Statement) -> str:
    """ "held 4.2 s, until its transaction ended": most locks outlive their statement, which surprises people."""
    after = (lock.acquired_ms or statement.started_ms) + lock.held_ms - statement.started_ms - statement.ms
    outlives = statement.in_block and after > max(LINGERS, lock.held_ms / 10)
    return f"held {duration(lock.held_ms)}" + (", until its transaction ended" if outlives else "")


def weighty(statement: Statement) -> bool:
    """Whether it failed, made somebody wait, or changed more than it says."""
    waits = any(lock.existed_before and blocks(lock.mode) for lock in statement.locks)
    return bool(waits or statement.error or statement.rewrites or statement.dropped or statement.lost)


def dropped(one: Dropped) -> str:
    return f"drops {one.kind} {relation(one.identity)}" + (" (cascade)" if one.cascaded else "")


def lost(one: Lost) -> str:
    """ "about 12 000 values of users.email are gone"."""
    about = "" if one.exact else "about "
    what = f"values of {relation(one.relation)}.{one.column}" if one.column else f"rows of {relation(one.relation)}"
    return f"{about}{grouped(one.values)} {what} are gone"


def chosen_migrations(line: Timeline, migrations: Sequence[MigrationRun], most: int) -> list[MigrationRun]:
    """At most ``most``, in order; where there are more, those with weighty statements first, then the longest."""
    if len(migrations) <= most:
        return list(migrations)

    def gravity(migration: MigrationRun) -> tuple[bool, float]:
        steps = line.steps_of(migration)
        return any(weighty(step.statement) for step in steps), sum(step.statement.ms for step in steps)

    graver = sorted(enumerate(migrations), key=lambda pair: gravity(pair[1]), reverse=True)
    return [migration for _, migration in sorted(graver[:most], key=lambda pair: pair[0])]


def chosen(steps: Sequence[Step], most: int) -> list[Step]:
    """At most ``most``, in order; where there are more, the weighty ones first, then the longest."""
    if len(steps) <= most:
        return list(steps)
    graver = sorted(steps, key=lambda step: (weighty(step.statement), step.statement.ms), reverse=True)
    return sorted(graver[:most], key=lambda step: step.number)
