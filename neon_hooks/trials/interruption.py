"""Where migrations can be interrupted so that something half-done stays, and the moment at which that is. Pure.

What is cut off inside a transaction is rolled back to its beginning, so the states that differ are few:

    after a transaction of the migration, if another of its own follows, or its record is written apart from it
    during a CONCURRENTLY, which is several transactions in one statement: an INVALID index stays

A transaction that only reads leaves nothing behind and does not count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from neon_hooks.facts import Catalogue, Evidence, Statement, ToolRun, UnitFacts
from neon_hooks.recorder import Exchange, Recording
from neon_hooks.sqlscript import split
from neon_hooks.trials.held import mentions

CONCURRENTLY = re.compile(r"(?:CREATE|DROP|REINDEX|ALTER)\b.*\bCONCURRENTLY\b", re.IGNORECASE | re.DOTALL)
# What leaves nothing behind. CREATE TABLE AS has the tag SELECT, too.
LEAVES_NOTHING = frozenset(
    "BEGIN,START TRANSACTION,COMMIT,ROLLBACK,SAVEPOINT,RELEASE,SET,RESET,SHOW,DISCARD ALL,DEALLOCATE,DEALLOCATE ALL,"
    "PREPARE,LISTEN,UNLISTEN,NOTIFY,LOCK TABLE,ANALYZE,VACUUM,CHECKPOINT,EXPLAIN,FETCH,SET CONSTRAINTS,"
    "DECLARE CURSOR,CLOSE CURSOR,".split(",")  # the last one is an empty statement's
)
IF_THERE = ("DROP INDEX", "DROP TABLE")
QUESTION = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/|\()*(?:SELECT|WITH|VALUES|TABLE)\b(?!.*\b(?:INTO|INSERT|UPDATE|DELETE|MERGE|nextval|setval)\b)", re.IGNORECASE | re.DOTALL)
WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE")


@dataclass(frozen=True)
class Point:
    """After ``statement`` of ``path``, as soon as it is committed, or ``during`` it. ``turn``: which execution of
    this text in the whole run it is, from 1; ``own_turn``: in a run that begins with this migration. ``tables`` are
    those that a CONCURRENTLY works on.
    """

    path: str
    statement: Statement
    turn: int
    own_turn: int
    during: bool = False
    tables: tuple[str, ...] = ()


def points_of(facts: UnitFacts, *, thorough: bool) -> tuple[Point, ...]:
    """The places in the pushed migrations, in order. Without ``thorough`` only in those that are several
    transactions: one that is a single transaction, recorded apart from it, is passed over.
    """
    run = facts.first
    if run is None or run.exit_code:
        return ()
    paths = [m.path for m in facts.migrations if m.pushed and m.applied]
    return tuple(point for path in dict.fromkeys(paths) for point in _of_migration(facts, run, path, thorough))


def _of_migration(facts: UnitFacts, run: ToolRun, path: str, thorough: bool) -> Iterator[Point]:
    committed = {transaction.number for transaction in run.transactions if transaction.committed}
    turns: Counter[str] = Counter()
    own_turns: Counter[str] = Counter()
    own: dict[int, list[tuple[Statement, int, int]]] = {}
    recorded = set()
    for statement in run.statements:
        turns[statement.sql] += 1
        own_turns[statement.sql] += statement.path == path
        if statement.transaction not in committed or statement.error:
            continue
        if statement.path == path and _leaves_something(statement, run.evidence is Evidence.FULL):
            place = statement, turns[statement.sql], own_turns[statement.sql]
            own.setdefault(statement.transaction, []).append(place)
        elif _is_record(statement, facts.bookkeeping):
            recorded.add(statement.transaction)
    if len(own) < 2 and not thorough and not any(_is_stepwise(s) for group in own.values() for s, _, _ in group):
        return
    for number, group in enumerate(own.values(), start=1):
        statement, turn, own_turn = group[-1]
        if _is_stepwise(statement):
            yield Point(path, statement, turn, own_turn, during=True, tables=_tables(facts, statement.sql))
        is_complete = not facts.bookkeeping or statement.transaction in recorded
        if number < len(own) or not is_complete:
            yield Point(path, statement, turn, own_turn)


def _leaves_something(statement: Statement, drops_are_seen: bool) -> bool:
    """A SELECT that calls a function is known by the lock that a change takes."""
    if statement.tag in LEAVES_NOTHING or (statement.tag in IF_THERE and drops_are_seen and not statement.dropped):
        return False
    if statement.tag == "SELECT" and QUESTION.match(statement.sql):
        return any(lock.mode not in ("AccessShareLock", "RowShareLock") for lock in statement.locks)
    return True


def _is_stepwise(statement: Statement) -> bool:
    return not statement.in_block and CONCURRENTLY.match(_bare(statement.sql)) is not None


def _is_record(statement: Statement, bookkeeping: str) -> bool:
    return bool(bookkeeping) and statement.tag in WRITES and mentions(f"{statement.sql} {statement.params}", bookkeeping)


def _bare(sql: str) -> str:
    """Without the comments in front."""
    return re.sub(r"\A(?:\s+|--[^\n]*\n?|/\*.*?\*/)+", "", sql, flags=re.DOTALL)


def _tables(facts: UnitFacts, sql: str) -> tuple[str, ...]:
    """The tables that ``sql`` names, or an index of which it names."""
    catalogues = [each for each in (facts.before, facts.after) if each]
    return tuple(dict.fromkeys(name for each in catalogues for name in _named(each, sql)))


def _named(catalogue: Catalogue, sql: str) -> Iterator[str]:
    for table in catalogue.tables.values():
        if mentions(sql, table.name) or any(mentions(sql, index.name) for index in table.indexes):
            yield table.name


def chosen(points: Sequence[Point], most: int) -> tuple[Point, ...]:
    """At most so many: a statement that was sent before teaches less than one that was not."""
    seen: Counter[tuple[str, bool]] = Counter()
    ranked = []
    for number, point in enumerate(points):
        key = point.statement.sql, point.during
        ranked.append((seen[key] > 0, number))
        seen[key] += 1
    return tuple(points[number] for _, number in sorted(sorted(ranked)[:most], key=lambda each: each[1]))


class Moment:
    """Called with what a recorder has written down so far: whether it is the moment to cut at ``point``, in a run
    in which it comes at ``turn``.

    ``begun`` is called once, before the statement of a point ``during`` it is passed on to the server: such a one
    is for others to cut off. ``redact`` is what the statements of the first run went through.
    """

    def __init__(self, point: Point, turn: int, redact: Callable[[str], str], begun: Callable[[], None]) -> None:
        self.is_reached = False
        self._point = point
        self._wanted = turn
        self._redact = redact
        self._begun = begun
        self._read = 0  # exchanges
        self._turn = 0
        self._found: int | None = None

    def __call__(self, recording: Recording) -> bool:
        exchanges = recording.exchanges
        while self._found is None and self._read < len(exchanges):
            if self._is_meant(exchanges[self._read]):
                self._found = self._read
            self._read += 1
        if self._found is None:
            return False
        if self._point.during:
            if not self.is_reached:
                self.is_reached = True
                self._begun()
            return False
        self.is_reached = _is_committed(exchanges, self._found)
        return self.is_reached

    def is_running(self, recording: Recording) -> bool:
        """Whether the statement has no answer yet."""
        return self._found is None or not recording.exchanges[self._found].ended

    def _is_meant(self, exchange: Exchange) -> bool:
        """Of a message with several statements the server makes all, whether anybody listens or not: only behind
        its last one can be cut.
        """
        texts = [part.text for part in split(exchange.sql)] if exchange.simple and ";" in exchange.sql else []
        texts = texts if len(texts) > 1 else [exchange.sql.strip()]
        for number, text in enumerate(texts, start=1):
            self._turn += self._redact(text) == self._point.statement.sql
            if self._turn == self._wanted:
                return number == len(texts)
        return False


def _is_committed(exchanges: Sequence[Exchange], found: int) -> bool:
    """Whether the transaction that the exchange belongs to has ended, without an error."""
    target = exchanges[found]
    later = [each for each in exchanges[found:] if each.connection == target.connection]
    return not any(each.error for each in later) and any(each.ended and each.after == "I" for each in later)
