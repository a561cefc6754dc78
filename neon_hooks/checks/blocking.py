"""Who kept others from which table, for how long, in which transaction. Pure questions over the locks.

Only tables that existed before the run count, and not those of the migration tool's own bookkeeping.
A lock on an index counts for its table: the planner takes a lock on every index of a table that a
query names (manual, REINDEX, section "Rebuilding Indexes Concurrently").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from neon_hooks.checks.schema import is_bookkeeping
from neon_hooks.checks.sql_text import tag
from neon_hooks.facts import Evidence, LockHeld, Statement, ToolRun, UnitFacts
from neon_hooks.limits import TableLimits
from neon_hooks.lockmodes import Use, blocks, makes_wait

Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Held:
    """A lock that blocks something, and the statement that took it."""

    lock: LockHeld
    by: Statement


@dataclass(frozen=True)
class Block:
    """All that the locks of one transaction keep others from doing with one table.

    ``until`` is the transaction's end: most locks are kept until then.
    """

    transaction: int
    table: str
    rows: int | None
    held: tuple[Held, ...]
    spans: Mapping[Use, Spans]
    until: float

    def ms(self, use: Use) -> float:
        """How long ``use`` of the table has to wait."""
        return sum(end - start for start, end in self.spans[use])

    def during(self, statement: Statement, use: Use) -> float:
        """The part of it in which ``statement`` ran."""
        if statement.transaction != self.transaction or not self.spans[use]:
            return 0.0
        start = max(statement.started_ms, self.spans[use][0][0])
        end = min(statement.started_ms + statement.ms, max(self.until, self.spans[use][-1][1]))
        return min(max(0.0, end - start), self.ms(use))

    def worst(self, limits: TableLimits) -> Use:
        """The use that is furthest over its limit, or closest to it."""
        return max(Use, key=lambda use: self.ms(use) / limit(limits, use))

    def exceeds(self, limits: TableLimits) -> bool:
        return any(self.ms(use) > limit(limits, use) for use in Use)

    def holder(self, statement: Statement) -> Held | None:
        """The strong lock that an earlier statement had left to ``statement``."""
        return next(
            (held for held in self.held if held.by is not statement and held.by.started_ms < statement.started_ms), None
        )

    def covers(self, statement: Statement) -> bool:
        """Whether ``statement`` ran while the table was blocked."""
        return bool(self.taken_by(statement) or self.holder(statement))

    def taken_by(self, statement: Statement) -> tuple[LockHeld, ...]:
        return tuple(held.lock for held in self.held if held.by is statement)


def limit(limits: TableLimits, use: Use) -> float:
    return limits.reads_blocked if use is Use.READS else limits.writes_blocked


def observed(unit: UnitFacts) -> ToolRun | None:
    """The first run, if locks were recorded. Those of a partial record were held all the same: what is missing
    can only make it worse, and check evidence.py says that something is.
    """
    return unit.first if unit.first and unit.first.evidence is not Evidence.NONE else None


def blocks_of(unit: UnitFacts) -> Iterator[Block]:
    """One Block per transaction and table, in the order of the run."""
    run = observed(unit)
    if run is None:
        return
    tables = {table.name: table for table in unit.before.tables.values()} if unit.before else {}
    views = {name for name, table in tables.items() if table.kind == "m"}
    held: dict[tuple[int, str], list[Held]] = defaultdict(list)
    for statement in run.statements:
        for lock in statement.locks:
            if counts(unit, lock) and harms(lock.mode, table_of(lock) in views):
                held[statement.transaction, table_of(lock)].append(Held(lock, statement))
        for table in statement.rewrites:
            if (statement.transaction, table) not in held:
                held[statement.transaction, table].append(Held(_of_rewrite(table, statement), statement))
    ends = {transaction.number: transaction.ended_ms for transaction in run.transactions}
    for (transaction, table), locks in held.items():
        spans = {use: merged(h.lock for h in locks if makes_wait(h.lock.mode, use)) for use in Use}
        until = ends.get(transaction, max(h.lock.acquired_ms + h.lock.held_ms for h in locks))
        rows = [h.lock.rows for h in locks if h.lock.rows is not None and h.lock.relation == table]
        known = max(rows, default=tables[table].rows if table in tables else None)
        yield Block(transaction, table, known, tuple(locks), spans, until)


def _of_rewrite(table: str, statement: Statement) -> LockHeld:
    """A table is never rewritten without this lock, though VACUUM FULL may be too quick for anybody to see it."""
    return LockHeld(table, "AccessExclusiveLock", statement.ms, True, table=table, acquired_ms=statement.started_ms)


def counts(unit: UnitFacts, lock: LockHeld) -> bool:
    """Whether anybody but the migration tool could miss the table."""
    return lock.existed_before and not is_bookkeeping(unit, table_of(lock))


def attaches_indexes(statement: Statement) -> bool:
    """A partitioned table gets an index, and its partitions had theirs already (manual, 5.12.2.2). Only for who knows
    every table that was read in full: whatever builds an index reads its table.
    """
    return indexes_partitions(statement) and not statement.scans


def indexes_partitions(statement: Statement) -> bool:
    """By its locks: on the partitioned table and on each partition."""
    locked = {table_of(lock) for lock in statement.locks if lock.mode == "ShareLock"}
    return tag(statement) == "CREATE INDEX" and len(locked) > 1


def harms(mode: str, materialized_view: bool) -> bool:
    """Nobody writes to a materialized view but REFRESH."""
    return makes_wait(mode, Use.READS) if materialized_view else bool(blocks(mode))


def table_of(lock: LockHeld) -> str:
    return lock.table or lock.relation


def merged(locks: Iterable[LockHeld]) -> Spans:
    """The times in which at least one of them is held."""
    spans: list[tuple[float, float]] = []
    for start, end in sorted((lock.acquired_ms, lock.acquired_ms + lock.held_ms) for lock in locks):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return tuple(spans)


def under_lock(unit: UnitFacts) -> frozenset[tuple[int, float]]:
    """(transaction, start) of the statements that ran while an earlier one's lock kept others from a table."""
    run = observed(unit)
    if run is None:
        return frozenset()
    first: dict[int, float] = {}
    for block in blocks_of(unit):
        start = min(held.by.started_ms for held in block.held)
        first[block.transaction] = min(start, first.get(block.transaction, start))
    return frozenset(
        (s.transaction, s.started_ms) for s in run.statements if s.started_ms > first.get(s.transaction, s.started_ms)
    )
