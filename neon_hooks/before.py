"""The pushes that are deployed before the one that is tried (Range.after): the way of each, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from neon_hooks.changes import Range
from neon_hooks.facts import Earlier, UnitFacts
from neon_hooks.git import Repository
from neon_hooks.plan import Work
from neon_hooks.pushed import what_is_pushed
from neon_hooks.settings import Settings

if TYPE_CHECKING:
    from neon_hooks.workbench import Bench

MakeBench = Callable[[str, Sequence[Work]], "AbstractContextManager[Bench]"]


def before(
    repository: Repository, range: Range, bench: MakeBench, settings: Settings
) -> Generator[tuple[str, Work, Bench]]:
    """Each unit with migrations of each of them, and the bench that has its commit checked out, in order."""
    for step in range.after:
        there = Range(step.base, step.commit, range.rule, step.git_ref)
        works = [work for work in what_is_pushed(repository, there, settings) if work.pushed]
        with bench(step.commit, works) as prepared:
            for work in works:
                yield step.git_ref, work, prepared


def earlier(git_ref: str, unit: UnitFacts) -> Earlier:
    """What a report needs of it."""
    assert unit.first
    run = replace(unit.first, statements=(unit.first.failed,) if unit.first.failed else ())
    paths = tuple(migration.path for migration in unit.work.pushed)
    missing = tuple(m.path for m in unit.work.pushed if m.id in unit.proof.missing)
    return Earlier(git_ref, unit.unit.system, paths, run, missing)
