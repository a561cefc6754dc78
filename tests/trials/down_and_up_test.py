"""When the way back is tried, and how often it is started. Data and functions alone: no database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.facts import MigrationRun, ToolRun, UnitFacts
from neon_hooks.plan import Migration, Unit, Work
from neon_hooks.systems import by_name
from neon_hooks.trials.down_and_up import down_and_up, is_possible
from neon_hooks.trials.place import Place, Sight

NEW = Migration("2", "migrations/2_x.sql", "b")
WORK = Work(Unit("goose", "", "migrations", ()), (Migration("1", "migrations/1_x.sql", "a"), NEW), (NEW,))
RAN = ToolRun(("goose", "up"), 0, 100.0, "")
APPLIED = MigrationRun("2", NEW.path, "goose", pushed=True, applied=True, applied_before=False)
FACTS = UnitFacts(WORK, (APPLIED,), first=RAN, again=RAN)
BEFORE = Sight({"1": ""}, ())


def place() -> Place:
    return Place(Path(), Dsn("127.0.0.1", "none"), Deadline.after(60))


def tried(before: Sight = BEFORE, **changes: Any) -> bool:
    return is_possible(by_name("goose"), replace(FACTS, **changes), place(), before)


def test_it_is_tried_after_runs_that_went_well() -> None:
    assert tried()


@pytest.mark.parametrize(
    "changes",
    [
        {"before": Sight(None, ())},  # the first run made the bookkeeping
        {"first": None},
        {"again_diff": "+2"},
        {"again": replace(RAN, exit_code=1)},
        {"migrations": (replace(APPLIED, applied=False),)},
        {"migrations": (APPLIED, replace(APPLIED, id="1"))},  # pending on main, and applied with it
        {"first": replace(RAN, ms=25_000.0)},  # the time is short
    ],
)
def test_it_is_not_tried_where_nothing_could_be_concluded_from_it(changes: dict[str, Any]) -> None:
    assert not tried(**changes)


def test_a_way_back_of_several_steps_stops_at_the_first_that_fails() -> None:
    codes = iter((0, 1, 0))
    started = []

    def back(dsn: Dsn) -> ToolRun:
        started.append(dsn)
        return replace(RAN, exit_code=next(codes))

    facts = down_and_up(by_name("goose"), FACTS, place(), BEFORE, down=back, times=3, up=lambda dsn: RAN)
    assert len(started) == 2
    assert facts.down_and_up and facts.down_and_up.down.exit_code == 1 and facts.down_and_up.up is None
