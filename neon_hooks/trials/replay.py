"""Migrations that are plain SQL, run and recorded by us because the project's tool is not on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from neon_hooks.database.connect import connect_when_ready
from neon_hooks.database.execute import FileRun
from neon_hooks.database.inspect import bookkeeping_rows
from neon_hooks.database.replay import replay
from neon_hooks.errors import NotInstalled, Unavailable
from neon_hooks.facts import Statement, ToolRun
from neon_hooks.plan import Replayed, Work
from neon_hooks.systems.base import History, System, kept
from neon_hooks.tree import Tree
from neon_hooks.trials.place import Place

RAISED = "P0001"  # raise_exception: RAISE in a function


@dataclass(frozen=True)
class Replay:
    """What is run in the place of the tool that is ``missing``, and was to be started with ``argv``."""

    system: System
    work: Work
    tree: Tree
    argv: tuple[str, ...]
    missing: NotInstalled

    def steps(self, migrations: History) -> tuple[Replayed, ...]:
        """How ``migrations`` are run. Raises NotInstalled when one of them is not SQL alone."""
        steps = tuple(self.system.replay(self.work.unit, self.tree, migrations)) if self.system.replay else ()
        if len(steps) < len(migrations):
            raise self.missing
        return steps


def start_replay(replayed: Replay, place: Place) -> ToolRun:
    """Apply what the bookkeeping says is pending, and tell it as if the tool had done it.

    Raises Unavailable where the database itself forbids anybody but the project's runner to record.
    """
    began = time.monotonic()
    steps = replayed.steps(_pending(replayed, place))
    runs = replay(place.dsn, steps)
    _check_record(steps, runs)
    return ToolRun(
        argv=replayed.argv,
        exit_code=1 if any(run.error for run in runs) else 0,
        ms=(time.monotonic() - began) * 1000,
        output="",
        statements=tuple(statement for run in runs for statement in _placed(run)),
        replayed=True,
    )


def _check_record(steps: Sequence[Replayed], runs: Sequence[FileRun]) -> None:
    """The migration is not to blame when a trigger refuses what we write into the tool's table."""
    refused = runs[-1].error if runs else None
    if refused and refused.sqlstate == RAISED and runs[-1].statements[-1].sql == steps[len(runs) - 1].record:
        raise Unavailable(
            f"{runs[-1].path} ran, but the database lets nobody else record it: {refused.message}",
            fix="name the program that runs the project's migrations in an entry of [[systems]]: `command`",
        )


def _pending(replayed: Replay, place: Place) -> History:
    system, work = replayed.system, replayed.work
    bookkeeping = kept(system, work.unit)
    if bookkeeping is None:
        return work.pushed
    with closing(connect_when_ready(place.dsn, place.deadline)) as connection:
        rows = bookkeeping_rows(connection, bookkeeping) or frozenset()
    skipped = system.skipped(work.unit, rows, work.history, work.pushed)
    done = system.applied(rows, work.history) | skipped
    return [migration for migration in work.history if migration.id not in done]


def _placed(run: FileRun) -> list[Statement]:
    """As with a driver shim: the frame says for certain where a statement comes from."""
    return [replace(s, path=run.path, frames=((run.path, s.line),)) for s in run.statements]
