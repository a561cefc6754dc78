"""Trial: take the pushed migrations back and apply them once more. A rollback is the worst moment to learn that
the way back fails, or that it leads somewhere else.
"""

from __future__ import annotations

from dataclasses import replace

from neon_hooks.database.copies import Copies
from neon_hooks.facts import DownAndUp, ToolRun, UnitFacts
from neon_hooks.systems.base import System, ids, kept
from neon_hooks.trials.contents import after_the_way_back, only_after
from neon_hooks.trials.place import Place, Sight, Start, changed, look

RUNS = 3  # as long as the first one: the way back, up again, and one to spare


def is_possible(system: System, facts: UnitFacts, place: Place, before: Sight) -> bool:
    """Whether the way back would lead to ``before``: the first run applied what is pushed, and that alone.

    Not where it made the bookkeeping, too, which stays behind; nor where a second run was no no-op. And not
    where the time is short: a slow tool must not lose the verdict that there is already.
    """
    if system.bookkeeping is not None and before.records is None:
        return False
    if facts.first is None or facts.first.ms * RUNS > place.deadline.remaining() * 1000:
        return False
    applied = {migration.id for migration in facts.migrations if migration.applied}
    is_steady = facts.again is None or not (facts.again.exit_code or facts.again_diff)
    return is_steady and applied == ids(facts.work.pushed)


def down_and_up(
    system: System,
    facts: UnitFacts,
    place: Place,
    before: Sight,
    *,
    down: Start,
    times: int,
    up: Start,
    copies: Copies | None = None,
    most_rows: int = 0,
) -> UnitFacts:
    """Add what became of the way back, which is started ``times`` times, and of the second way up. And of the
    rows in tables of up to ``most_rows``, also of those in ``copies``.
    """
    held = only_after(facts, place, most_rows) if most_rows else ()
    back = _repeated(down, times, place)
    if back.exit_code:
        return replace(facts, down_and_up=DownAndUp(back))
    diff = changed(before, look(place, kept(system, facts.unit)))
    lost, contents = after_the_way_back(held, copies, place) if most_rows else ((), ())
    return replace(facts, down_and_up=DownAndUp(back, diff, up(place.dsn), lost, contents))


def _repeated(start: Start, times: int, place: Place) -> ToolRun:
    """The last run, or the first one that fails."""
    run = start(place.dsn)
    for _ in range(times - 1):
        if not run.exit_code:
            run = start(place.dsn)
    return run
