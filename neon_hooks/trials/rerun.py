"""Trial: interrupt the migrations where something half-done stays, and start the tool again. A deployment that is
cut off by a network, a timeout or a restart is repeated, and must come to the same end.

That needs production as it was. The cheapest right way to get it is a further test Neon database branch, made for it
and deleted after it: a reset of one to its parent is the same work for Neon (it stops the compute, branches, starts a
compute), and would be the first request of ours that changes an existing one. States of such a copy:

    fresh       with the first test Neon database branch there are two, never more
    running     the tool works through the recorder, which waits for its moment (interruption.py)
    cut         the connections are broken, no new one is let through, and the server's sessions are ended; the
                tool has come to its end, or was ended
    looked at   INVALID indexes, failed records and locks are noted; locks are released as the tool's own
                command would; where a failed record is left, the tool would refuse, and is not started
    again       the tool was started once more, and was cut at the next place: so on to the last one, or to its end
    compared    with the uninterrupted run: schema, bookkeeping, and rows where production did not change meanwhile
    deleted     whatever happened

One copy mostly does for all places of a migration. When the tool fails after a cut, what stands in its way does so
at all later places as well, and these are left out. When the end is another one after several cuts, each of them
gets a copy of its own, to tell which it was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from neon_hooks.database.connect import connect_when_ready
from neon_hooks.database.inspect import release
from neon_hooks.database.sessions import end_others, hold_up, is_held_up
from neon_hooks.database.tables import SMALL
from neon_hooks.deadline import Deadline
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
TAKES_LONG = "all of them would take longer than the rest, unless `[trials] rerun` is true"
FIX = "raise `deadline`"
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
    seconds: float | None = None,
) -> UnitFacts:
    """Add what became of interruptions at up to ``most`` of the ``points``, and at no further one when ``seconds``
    have gone by. ``before`` and ``finished`` are what the uninterrupted run began and ended with.
    """
    trial = _Trial(
        facts, kept(system, facts.unit), tuple(system.refusals(facts.unit)), before, finished, tool, another,
        _Time(place.deadline, seconds, RUNS * facts.first.ms / 1000 if facts.first else 0.0),
    )  # fmt: skip
    cuts: list[Cut] = []
    wanted = chosen(points, most)
    reason = ""
    try:
        for path in dict.fromkeys(point.path for point in wanted):
            trial.migration([point for point in wanted if point.path == path], place, cuts)
    except Unavailable as error:  # what is known already must not be lost
        reason = error.message
    if not reason and len(points) > most:
        reason = f"`[trials] cuts` is {most}"
    possible = len(points) - len(trial.instant)
    if not reason and possible > len(cuts) + sum(cut.later for cut in cuts):
        reason = "the tool sent other statements than the first time"
    return replace(facts, rerun=Rerun(tuple(cuts), possible, reason))


@dataclass(frozen=True)
class _End:
    """Of a start. ``run`` is None, with the ``problem``, where it had to be ended."""

    is_cut: bool
    run: ToolRun | None
    problem: str = ""


class _Time:
    """How long an interruption takes, and whether there is time for one more."""

    def __init__(self, deadline: Deadline, seconds: float | None, least: float) -> None:
        self._deadline = deadline
        self._until = None if seconds is None else time.monotonic() + seconds
        self._needed = max(LEAST, least)
        self._began = 0.0

    def begin(self) -> None:
        """Raises Unavailable when there is no time."""
        if self._began and not self._fits():
            raise Unavailable(TAKES_LONG, fix=FIX)
        if self._deadline.remaining() < self._needed:
            raise Unavailable("the deadline is near", fix=FIX)
        self._began = time.monotonic()

    def is_left(self) -> bool:
        """For one more in the copy that was begun last."""
        return self._fits() and self._deadline.remaining() >= self._needed

    def _fits(self) -> bool:
        taken = time.monotonic() - self._began
        self._needed = max(self._needed, taken)
        return self._until is None or time.monotonic() + taken <= self._until


@dataclass(frozen=True)
class _Trial:
    """``instant`` are points during statements that turned out to have no steps to stop between."""

    facts: UnitFacts
    bookkeeping: Bookkeeping | None
    refusals: tuple[Refusal, ...]
    before: Sight
    finished: Sight
    tool: Interrupted
    another: Callable[[], AbstractContextManager[Dsn]]
    time: _Time
    instant: list[Point] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long the tool may run."""
        return PATIENCE + (RUNS * self.facts.first.ms / 1000 if self.facts.first else 0.0)

    def migration(self, points: Sequence[Point], place: Place, cuts: list[Cut]) -> None:
        """Interrupt one migration at each of ``points``, and add what became of it to ``cuts``."""
        left = list(points)
        while left:
            self.time.begin()
            with self.another() as dsn:
                tried, done = self._copy(left, replace(place, dsn=dsn))
            left = left[done:]
            if len(tried) > 1 and _is_other(tried[-1]):  # which of them was it?
                alone = [point for point in points if any(_is_at(cut, point) for cut in tried)]
                tried = []
                for point in alone:
                    self.time.begin()
                    with self.another() as dsn:
                        tried += self._copy([point], replace(place, dsn=dsn))[0]
            cuts += tried
            if tried and _stands_in_the_way(tried[-1]):
                cuts[-1] = replace(cuts[-1], later=len(left))
                return

    def _copy(self, points: Sequence[Point], place: Place) -> tuple[list[Cut], int]:
        """Cut at one point after the other in one copy. Returns the cuts, and how many points are done with."""
        before = self._look(place)
        tried: list[Cut] = []
        for number, point in enumerate([*points, None]):
            if tried and not self.time.is_left():
                point = None
            end = self._started(points[0].path, point, place, again=bool(tried))
            if not end.is_cut:
                break
            assert point
            tried.append(_cut(point, before, middle := self._look(place)))
            if not all(refused.is_lock for refused in middle.refusals):
                return tried, number + 1
            if middle.refusals:
                with closing(connect_when_ready(place.dsn, place.deadline)) as connection:
                    release(connection, self.refusals)
        if not tried:  # it ran through, and the copy is spent
            self.instant.extend(each for each in points[:1] if each.during)
            return [], 1
        last = replace(tried[-1], run=end.run, problem=end.problem)
        if end.run and not end.run.exit_code:
            after = self._look(place)
            diff, rows = changed(self.finished, after), self._rows(before.catalogue, after.catalogue)
            last = replace(last, diff=diff, rows=rows)
        return [*tried[:-1], last], number

    def _look(self, place: Place) -> Sight:
        return look(place, self.bookkeeping, tables=True, refusals=self.refusals)

    def _started(self, path: str, point: Point | None, place: Place, *, again: bool) -> _End:
        """Start the tool, once more if ``again``, and cut it off at ``point``, if it comes there. It has come to its end
        then, and so have its sessions.
        """
        with ExitStack() as stack:
            ours = stack.enter_context(closing(connect_when_ready(place.dsn, place.deadline)))
            strikes: list[threading.Thread] = []
            struck, is_over = threading.Event(), threading.Event()

            def begun() -> None:
                assert point
                hold_up(ours, point.tables)
                strikes.append(threading.Thread(target=strike, name="interruption", daemon=True))
                strikes[0].start()

            def strike() -> None:
                assert moment
                is_running = partial(moment.is_running, recorder.recording)
                if is_held_up(ours, lambda: not is_over.is_set() and is_running()):
                    struck.set()
                    recorder.cut(for_good=True)
                    end_others(ours, ENDS)

            turn = (point.own_turn if again else point.turn) if point else 0
            moment = Moment(point, turn, place.redact, begun) if point else None
            recorder = Recorder(place.dsn, cut_when=moment)
            try:
                stack.enter_context(recorder)
            except OSError as error:
                raise Unavailable(f"no port on this machine could be listened on: {error.strerror}", fix=FIX) from None
            run, problem = None, ""
            try:
                if again:
                    run = self.tool.resume(path, recorder.dsn, self.seconds)
                else:
                    run = self.tool.start(recorder.dsn, self.seconds)
            except Unavailable as error:  # it did not notice that nobody is there any more, or waits for something
                if not place.deadline.remaining():
                    raise
                problem = error.message
            finally:
                is_over.set()
            for thread in strikes:
                thread.join(ENDS)
            end_others(ours, ENDS)
            is_cut = bool(point) and (struck.is_set() if point and point.during else bool(moment and moment.is_reached))
            return _End(is_cut, _with_failed(run, recorder, place) if run else None, problem)

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


def _with_failed(run: ToolRun, recorder: Recorder, place: Place) -> ToolRun:
    """The run with the statement that failed, if one did, and without the others."""
    failed = run.failed
    if run.exit_code and failed is None:
        refused = next((each for each in reversed(recorder.recording.exchanges) if each.error), None)
        if refused and refused.error:
            failed = Statement(place.redact(refused.sql.strip()), error=error_of(refused.error, place.redact))
    return replace(run, statements=(failed,) if failed else ())


def _cut(point: Point, before: Sight, middle: Sight) -> Cut:
    known = set(_invalid(before.catalogue))
    return Cut(
        point.path, point.statement.sql, point.statement.started_ms, point.during, middle.refusals,
        tuple(name for name in _invalid(middle.catalogue) if name not in known),
    )  # fmt: skip


def _is_at(cut: Cut, point: Point) -> bool:
    return (cut.started_ms, cut.sql, cut.during) == (point.statement.started_ms, point.statement.sql, point.during)


def _is_other(cut: Cut) -> bool:
    """Whether the end was another one than without the cut."""
    return bool(cut.diff or cut.rows)


def _stands_in_the_way(cut: Cut) -> bool:
    """Whether the tool does not come past what the cut has left."""
    is_refused = not all(refused.is_lock for refused in cut.refusals)
    return is_refused or bool(cut.problem) or bool(cut.run and cut.run.exit_code)
