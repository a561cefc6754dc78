"""A run laid out in time: which table was locked when, by which statement, and who had to wait. Pure.

The pictures in the terminal and on the page are drawn from this. Only locks on tables that existed before
count: nobody can wait for a table that is new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from neon_hooks.facts import LockHeld, MigrationRun, Statement, Transaction, UnitFacts
from neon_hooks.lockmodes import NOTHING, READS_AND_WRITES, WRITES, blocks

Span = tuple[float, float]
STRENGTH = (NOTHING, WRITES, READS_AND_WRITES)


@dataclass(frozen=True)
class Step:
    """One statement. ``number`` counts from 1 through the run, ``place`` through its migration.

    ``migration`` None: the tool's own, whose ``place`` is 0.
    """

    number: int
    statement: Statement
    migration: MigrationRun | None
    place: int = 0

    @property
    def span(self) -> Span:
        return self.statement.started_ms, self.statement.started_ms + self.statement.ms


@dataclass(frozen=True)
class Bar:
    """A lock from ``start`` to ``end``, or ``count`` that lie too close together to be told apart.

    ``gaps`` are the milliseconds between those, in sum. ``number`` is the (first) statement's.
    """

    start: float
    end: float
    blocks: str
    mode: str
    number: int
    count: int = 1
    gaps: float = 0.0

    @property
    def held(self) -> float:
        return self.end - self.start - self.gaps


@dataclass(frozen=True)
class Lane:
    """One table. ``reads_blocked`` and ``writes_blocked`` are milliseconds in sum."""

    table: str
    bars: tuple[Bar, ...]
    rows: int | None = None
    bytes: int | None = None

    @property
    def reads_blocked(self) -> float:
        return covered((bar.start, bar.end) for bar in self.bars if bar.blocks == READS_AND_WRITES)

    @property
    def writes_blocked(self) -> float:
        return covered((bar.start, bar.end) for bar in self.bars if bar.blocks)

    @property
    def longest_read(self) -> float:
        """How long a single read would have waited at most."""
        return longest((bar.start, bar.end) for bar in self.bars if bar.blocks == READS_AND_WRITES)

    @property
    def longest_write(self) -> float:
        return longest((bar.start, bar.end) for bar in self.bars if bar.blocks)

    @property
    def blocks(self) -> str:
        """The strongest of its bars."""
        return max((bar.blocks for bar in self.bars), key=STRENGTH.index, default=NOTHING)


@dataclass(frozen=True)
class Section:
    """One migration, from its first statement to its last."""

    migration: MigrationRun
    start: float
    end: float


@dataclass(frozen=True)
class Timeline:
    """``start`` and ``end`` in milliseconds of the run. ``lanes``: the tables that were blocked longest first."""

    start: float
    end: float
    steps: tuple[Step, ...]
    lanes: tuple[Lane, ...]
    sections: tuple[Section, ...]
    transactions: tuple[Transaction, ...]

    @property
    def ms(self) -> float:
        return self.end - self.start

    def section_of(self, migration: MigrationRun) -> Section | None:
        """None for a migration without statements."""
        return self._sections.get(id(migration))

    def steps_of(self, migration: MigrationRun) -> tuple[Step, ...]:
        return self._by_migration.get(id(migration), ())

    @cached_property
    def _sections(self) -> Mapping[int, Section]:
        return {id(section.migration): section for section in self.sections}

    @cached_property
    def _by_migration(self) -> Mapping[int, tuple[Step, ...]]:
        return _grouped(self.steps)

    def within(self, section: Section) -> Timeline:
        """Only what belongs to one migration; what it holds until its transaction ends is not cut off."""
        steps = self.steps_of(section.migration)
        used = {step.statement.transaction for step in steps}
        transactions = tuple(t for t in self.transactions if t.number in used)
        return _laid_out(steps, (section,), transactions)


def timeline(unit: UnitFacts) -> Timeline:
    """Of the first run of a unit: the statements of the migrations, and those of the tool that touched a table."""
    shown = tuple(step for step in _numbered(unit) if step.migration or _touches(step.statement))
    own = _grouped(shown)
    sections = tuple(
        Section(migration, min(step.span[0] for step in steps), max(step.span[1] for step in steps))
        for migration in unit.migrations
        if (steps := own.get(id(migration), ()))
    )
    return _laid_out(shown, sections, unit.first.transactions if unit.first else ())


def _numbered(unit: UnitFacts) -> list[Step]:
    by_path = {migration.path: migration for migration in unit.migrations}
    told = [(s, by_path.get(s.path)) for s in (unit.first.statements if unit.first else ())]
    if not told:  # a run that was not recorded as a whole
        told = [(s, migration) for migration in unit.migrations for s in migration.statements]
    places: Counter[str] = Counter()
    steps = []
    for number, (statement, migration) in enumerate(told, start=1):
        if migration:
            places[migration.path] += 1
        steps.append(Step(number, statement, migration, places[migration.path] if migration else 0))
    return steps


def _grouped(steps: Iterable[Step]) -> Mapping[int, tuple[Step, ...]]:
    """By the identity of the migration: there may be thousands, with thousands of statements."""
    groups: dict[int, list[Step]] = {}
    for step in steps:
        groups.setdefault(id(step.migration), []).append(step)
    return {key: tuple(group) for key, group in groups.items()}


def _touches(statement: Statement) -> bool:
    locks = any(lock.existed_before and blocks(lock.mode) for lock in statement.locks)
    return bool(locks or statement.rewrites or statement.dropped or statement.lost or statement.error)


def _laid_out(
    steps: tuple[Step, ...], sections: tuple[Section, ...], transactions: Sequence[Transaction]
) -> Timeline:
    lanes = _lanes(steps)
    used = {step.statement.transaction for step in steps}
    shown = tuple(t for t in transactions if t.number in used)
    spans = [step.span for step in steps] + [(bar.start, bar.end) for lane in lanes for bar in lane.bars]
    spans += [(t.started_ms, t.ended_ms) for t in shown]
    start = min((span[0] for span in spans), default=0.0)
    return Timeline(start, max((span[1] for span in spans), default=start), steps, lanes, sections, shown)


def _lanes(steps: Iterable[Step]) -> tuple[Lane, ...]:
    bars: dict[str, list[Bar]] = {}
    known: dict[str, LockHeld] = {}
    for step in steps:
        for lock in step.statement.locks:
            if lock.existed_before:
                table = lock.table or lock.relation
                bars.setdefault(table, []).append(_bar(step, lock))
                if lock.relation == table:
                    known.setdefault(table, lock)
    lanes = [
        Lane(table, tuple(sorted(own, key=lambda bar: (bar.start, bar.number))))
        for table, own in bars.items()
    ]  # fmt: skip
    measured = [
        replace(lane, rows=known[lane.table].rows, bytes=known[lane.table].bytes) if lane.table in known else lane
        for lane in lanes
    ]
    return tuple(sorted(measured, key=gravity, reverse=True))


def gravity(lane: Lane) -> tuple[float, float]:
    """Where reads wait as well, it hurts twice. Tables that nobody waits for: the longest held first."""
    return lane.reads_blocked + lane.writes_blocked, covered((bar.start, bar.end) for bar in lane.bars)


def _bar(step: Step, lock: LockHeld) -> Bar:
    start = lock.acquired_ms or step.statement.started_ms
    return Bar(start, start + lock.held_ms, blocks(lock.mode), lock.mode, step.number)


def covered(spans: Iterable[Span]) -> float:
    """The length of what the spans cover together."""
    return sum((end - start for start, end in _united(spans)), 0.0)


def longest(spans: Iterable[Span]) -> float:
    """The length of the longest stretch that the spans cover without a gap."""
    return max((end - start for start, end in _united(spans)), default=0.0)


def _united(spans: Iterable[Span]) -> list[Span]:
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = result[-1][0], max(end, result[-1][1])
        else:
            result.append((start, end))
    return result


def joined(bars: Iterable[Bar], distance: float) -> list[Bar]:
    """Bars that block the same and lie closer than ``distance`` as one, so that a picture stays small."""
    result: list[Bar] = []
    last: dict[str, int] = {}
    for bar in sorted(bars, key=lambda bar: bar.start):
        place = last.get(bar.blocks, -1)
        if place >= 0 and bar.start - result[place].end < distance:
            before = result[place]
            mode = bar.mode if bar.mode == before.mode else ""
            gaps = before.gaps + bar.gaps + max(0.0, bar.start - before.end)
            end, count = max(before.end, bar.end), before.count + bar.count
            result[place] = replace(before, end=end, mode=mode, count=count, gaps=gaps)
        else:
            last[bar.blocks] = len(result)
            result.append(bar)
    return result


def ticks(ms: float, most: int = 8) -> list[float]:
    """Times for an axis from 0, at distances that people count in."""
    step = next((s for s in _steps() if ms / s <= most), ms)
    return [step * number for number in range(int(ms / step) + 1)] if ms > 0 else [0.0]


def _steps() -> Iterable[float]:
    for power in (0.01, 0.1, 1.0, 10.0, 100.0, 1_000.0):
        yield from (power, 2 * power, 5 * power)
    for seconds in (10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 86_400):
        yield seconds * 1000.0
