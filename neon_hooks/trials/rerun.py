"""Trial: interrupt the migrations where something half-done stays, and start the tool again. A deployment that is
cut off by a network, a timeout or a restart is repeated, and must come to the same end.

Each interruption needs production as it was. The cheapest right way to get it is a further test Neon database
branch, made for it and deleted after it: a reset of one to its parent is the same work for Neon (it stops the
compute, branches, starts a compute), and would be the first request of ours that changes an existing one.
States of an interruption, each of which ends with the deletion:

    fresh       a further test Neon database branch; with the first one there are two, never more
    running     the tool works through the recorder, which waits for its moment (interruption.py)
    cut         the connections are broken, no new one is let through, and the server's sessions are ended; the
                tool has come to its end, or was ended
    looked at   INVALID indexes, failed records and locks are noted; locks are released as the tool's own
                command would; where a failed record is left, the tool would refuse, and is not started
    again       the tool was started once more, to its end
    compared    with the uninterrupted run: schema, bookkeeping, and rows where production did not change meanwhile
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, replace
from typing import Protocol

from neon_hooks.database.connect import connect_when_ready
from neon_hooks.database.inspect import release
from neon_hooks.database.sessions import end_others, hold_up, is_held_up
from neon_hooks.database.tables import SMALL
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Unavailable
from neon_hooks.facts import Catalogue, Cut, Rerun, Statement, ToolRun, UnitFacts
from neon_hooks.plan import Bookkeeping, Refusal
from neon_hooks.recorder import Recorder
from neon_hooks.systems.base import System, kept
from neon_hooks.trials.account import error_of
from neon_hooks.trials.contents import is_own
from neon_hooks.trials.interruption import Moment, Point, chosen
from neon_hooks.trials.place import Place, Sight, changed, look

LEAST = 3.0  # seconds for one interruption, until one was measured
ENDS = 5.0  # seconds in which the server's sessions must end
RUNS, PATIENCE = 4, 15.0  # a tool may take so many times as long as the first run, and so many seconds, to end


class Start(Protocol):
    def __call__(self, dsn: Dsn, seconds: float = 0.0) -> ToolRun: ...


class Resume(Protocol):
    def __call__(self, path: str, dsn: Dsn, seconds: float = 0.0) -> ToolRun: ...


@dataclass(frozen=True)
class Interrupted:
    """How the tool is started, and how it is started again when it was cut off in the migration at a path."""

    start: Start
    resume: Resume


def rerun(
    system: System,
    facts: UnitFacts,
    place: Place,
    points: Sequence[Point],
    *,
    before: Sight,
    finished: Sight,
    tool: Interrupted,
    another: Callable[[], AbstractContextManager[Dsn]],
    most: int,
) -> UnitFacts:
    """Add what became of interruptions at up to ``most`` of the ``points``. ``before`` and ``finished`` are what the
    uninterrupted run began and ended with.
    """
    trial = _Trial(facts, kept(system, facts.unit), tuple(system.refusals(facts.unit)), before, finished, tool)
    cuts: list[Cut] = []
    none: list[Point] = []
    reason, needed = "", max(LEAST, RUNS * trial.first.ms / 1000)
    for point in chosen(points, most):
        began = time.monotonic()
        if place.deadline.remaining() < needed:
            reason = "the deadline is near"
            break
        try:
            with another() as dsn:
                cut = trial.interrupted(point, replace(place, dsn=dsn))
        except Unavailable as error:  # what is known already must not be lost
            reason = error.message
            break
        if cut:
            cuts.append(cut)
        else:
            none.append(point)
        needed = max(needed, time.monotonic() - began)
    if not reason and len(points) > most:
        reason = f"`[trials] cuts` is {most}"
    if not reason and not all(point.during for point in none):
        reason = "the tool sent other statements than the first time"
    instant = sum(point.during for point in none)  # IF NOT EXISTS, and it exists: there are no steps to stop between
    return replace(facts, rerun=Rerun(tuple(cuts), len(points) - instant, reason))


@dataclass(frozen=True)
class _Trial:
    facts: UnitFacts
    bookkeeping: Bookkeeping | None
    refusals: tuple[Refusal, ...]
    before: Sight
    finished: Sight
    tool: Interrupted

    @property
    def first(self) -> ToolRun:
        assert self.facts.first
        return self.facts.first

    @property
    def seconds(self) -> float:
        return PATIENCE + RUNS * self.first.ms / 1000

    def interrupted(self, point: Point, place: Place) -> Cut | None:
        """None where the moment did not come: the run was another one than the first."""
        before = self._look(place)
        if not self._cut_off(point, place):
            return None
        middle = self._look(place)
        known = set(_invalid(before.catalogue))
        cut = Cut(
            point.path, point.statement.sql, point.statement.started_ms, point.during, middle.refusals,
            tuple(name for name in _invalid(middle.catalogue) if name not in known),
        )  # fmt: skip
        if not all(refused.is_lock for refused in middle.refusals):
            return cut
        if middle.refusals:
            with closing(connect_when_ready(place.dsn, place.deadline)) as connection:
                release(connection, self.refusals)
        try:
            run = _watched(lambda dsn: self.tool.resume(point.path, dsn, self.seconds), place)
        except Unavailable as error:
            if not place.deadline.remaining():
                raise
            return replace(cut, problem=error.message)
        after = self._look(place)
        rows = self._rows(before.catalogue, after.catalogue) if not run.exit_code else ()
        diff = "" if run.exit_code else changed(self.finished, after)
        return replace(cut, run=run, diff=diff, rows=rows)

    def _look(self, place: Place) -> Sight:
        return look(place, self.bookkeeping, tables=True, refusals=self.refusals)

    def _cut_off(self, point: Point, place: Place) -> bool:
        """Whether the tool was cut off at ``point``; it has come to its end then, and so have its sessions."""
        with ExitStack() as stack:
            ours = stack.enter_context(closing(connect_when_ready(place.dsn, place.deadline)))
            strikes: list[threading.Thread] = []
            struck, is_over = threading.Event(), threading.Event()

            def begun() -> None:
                hold_up(ours, point.tables)
                strikes.append(threading.Thread(target=strike, name="interruption", daemon=True))
                strikes[0].start()

            def strike() -> None:
                if is_held_up(ours, lambda: not is_over.is_set() and moment.is_running(recorder.recording)):
                    struck.set()
                    recorder.cut(for_good=True)
                    end_others(ours, ENDS)

            moment = Moment(point, place.redact, begun)
            recorder = Recorder(place.dsn, cut_when=moment)
            try:
                stack.enter_context(recorder)
            except OSError:
                return False
            try:
                self.tool.start(recorder.dsn, self.seconds)
            except Unavailable:  # it did not notice that nobody is there any more, and was ended
                if not place.deadline.remaining():
                    raise
            finally:
                is_over.set()
            for thread in strikes:
                thread.join(ENDS)
            end_others(ours, ENDS)
            return struck.is_set() if point.during else moment.is_reached

    def _rows(self, before: Catalogue, after: Catalogue) -> tuple[tuple[str, int, int], ...]:
        """Tables with another number of rows than after the uninterrupted run; () where production changed between
        the two copies. Only small ones are counted.
        """
        wanted = self.facts.after
        own = [t.name for each in (wanted, after) if each for t in each.tables.values() if is_own(self.facts, t)]
        if wanted is None or _counted(before) != _counted(self.before.catalogue):
            return ()
        there, here = _counted(wanted), _counted(after)
        differing = (name for name in there if name in here and there[name] != here[name] and name not in own)
        return tuple((name, there[name], here[name]) for name in sorted(differing))


def _counted(catalogue: Catalogue) -> dict[str, int]:
    tables = (table for table in catalogue.tables.values() if table.kind == "r" and table.bytes < SMALL)
    return {table.name: table.rows for table in tables if table.rows is not None}


def _invalid(catalogue: Catalogue) -> list[str]:
    tables = [table for table in catalogue.tables.values() if table.kind != "p"]  # there it is by design
    return sorted(index.name for table in tables for index in table.indexes if not index.valid)


def _watched(start: Callable[[Dsn], ToolRun], place: Place) -> ToolRun:
    """The run with the statement that failed, if one did, and without the others."""
    recorder = Recorder(place.dsn)
    with ExitStack() as stack:
        try:
            stack.enter_context(recorder)
        except OSError:
            run = start(place.dsn)
        else:
            run = start(recorder.dsn)
    failed = run.failed
    if run.exit_code and failed is None:
        refused = next((each for each in reversed(recorder.recording.exchanges) if each.error), None)
        if refused and refused.error:
            failed = Statement(place.redact(refused.sql.strip()), error=error_of(refused.error, place.redact))
    return replace(run, statements=(failed,) if failed else ())
