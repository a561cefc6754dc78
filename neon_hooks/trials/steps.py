"""From what went over the wire to statements: which ran when, in which transaction. Pure.

A simple Query can hold several statements and has one answer at its end, so their times come from the
event triggers, which report at once, where there are such; the rest is interpolated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from neon_hooks.database.clock import Clock
from neon_hooks.database.events import Ddl, Event, parse_event
from neon_hooks.recorder import Exchange, Mark, Recording
from neon_hooks.sqlscript import split

ENDS = ("COMMIT", "ROLLBACK", "PREPARE TRANSACTION")
TO_SAVEPOINT = re.compile(r"\s*rollback\s+(?:work\s+|transaction\s+)?to\b", re.IGNORECASE)
# Statements that take no time: where they share a message, what is seen after them is the next one's.
INSTANT = frozenset(("BEGIN", "START TRANSACTION", "SAVEPOINT", "RELEASE", "SET", "RESET", "SHOW"))
# Statements that can have others inside.
CONTAINERS = ("DO", "SELECT", "CALL", "INSERT", "")
NO_DDL = frozenset(
    (*CONTAINERS, *ENDS, "BEGIN", "START TRANSACTION", "SAVEPOINT", "RELEASE", "SET", "RESET", "SHOW", "UPDATE",
     "DELETE", "MERGE", "COPY", "TRUNCATE TABLE", "LOCK TABLE", "VACUUM", "ANALYZE", "CLUSTER", "EXPLAIN", "FETCH",
     "PREPARE", "EXECUTE", "DEALLOCATE", "DISCARD", "NOTIFY", "LISTEN", "UNLISTEN", "DECLARE CURSOR", "CLOSE CURSOR",
     "SET CONSTRAINTS", "CHECKPOINT", "REINDEX")
)  # fmt: skip


@dataclass(eq=False)
class Step:
    """One statement. Times are seconds by time.time(). ``transaction`` counts from 1 through the whole run."""

    exchange: Exchange
    sql: str
    started: float
    ended: float
    tag: str = ""
    rows: int | None = None
    error: Mapping[str, str] | None = None
    transaction: int = 0
    in_block: bool = False
    events: list[tuple[float, Event]] = field(default_factory=list)

    @property
    def connection(self) -> int:
        return self.exchange.connection


@dataclass
class Span:
    """One transaction of a connection."""

    number: int
    connection: int
    started: float
    ended: float
    committed: bool = False
    steps: list[Step] = field(default_factory=list)


def steps_of(recording: Recording, clock: Clock, until: float) -> list[Step]:
    """Every statement, in the order in which they began. What has no end yet ends ``until``."""
    events = _events(recording.marks, clock)
    steps = [
        step
        for exchange in recording.exchanges
        if not exchange.skipped
        for step in _of_exchange(exchange, events.get(id(exchange), []), until)
    ]
    return sorted(steps, key=lambda step: step.started)


def _events(marks: Iterable[Mark], clock: Clock) -> dict[int, list[tuple[float, Event]]]:
    """By exchange, with their moments by our clock; never later than they arrived."""
    found: dict[int, list[tuple[float, Event]]] = {}
    for mark in marks:
        event = parse_event(mark.text)
        if event and mark.exchange:
            found.setdefault(id(mark.exchange), []).append((min(clock.ours(event.at), mark.at), event))
    return found


def _of_exchange(exchange: Exchange, events: list[tuple[float, Event]], until: float) -> list[Step]:
    ended = exchange.ended or until
    texts = [part.text for part in split(exchange.sql)] if exchange.simple and ";" in exchange.sql else []
    texts = texts if len(texts) > 1 else [exchange.sql.strip()]
    count = len(exchange.results) + (1 if exchange.error or not exchange.ended else 0)
    # Fewer texts than answers: a rule, or a text that was cut. Then the last text stands for the rest.
    texts = [texts[min(number, len(texts) - 1)] for number in range(count)] if count else texts[:1]
    steps = [Step(exchange, text, exchange.started, ended) for text in texts]
    for step, result in zip(steps, exchange.results, strict=False):
        step.tag, step.rows, step.ended = result.tag, result.rows, result.at
    if exchange.error and steps:
        steps[-1].error = exchange.error
    for number, (at, event) in zip(_places([step.tag for step in steps], events), events, strict=True):
        steps[number].events.append((at, event))
    _time(steps, exchange, ended)
    return steps


def _places(tags: Sequence[str], events: Sequence[tuple[float, Event]]) -> list[int]:
    """To which statement each event belongs: in order, and by the tag where the statement is no container."""
    places: list[int] = []
    at = 0
    for number, (_, event) in enumerate(events):
        if len(tags) > 1:
            at = _place(tags, at, event.tag)
        places.append(at)
        following = events[number + 1][1] if number + 1 < len(events) else None
        # A command's own event is its last one; another of the same tag is the next statement's.
        if isinstance(event, Ddl) and tags[at] == event.tag and following and at + 1 < len(tags):
            at += 1
    return places


def _place(tags: Sequence[str], at: int, tag: str) -> int:
    for number in range(at, len(tags)):
        if tags[number] == tag:
            return number
        if tags[number] not in NO_DDL:
            break
    return next((n for n in range(at, len(tags)) if tags[n] in CONTAINERS or tags[n] not in NO_DDL), at)


def _time(steps: Sequence[Step], exchange: Exchange, ended: float) -> None:
    """Each begins where the one before ended; the end is its own event's, else that of the answer."""
    began = exchange.started
    for step in steps:
        own = [at for at, event in step.events if isinstance(event, Ddl)]
        step.started = began
        if own and step is not steps[-1]:
            step.ended = max(began, own[-1])
        elif step is steps[-1]:
            step.ended = max(began, ended)
        elif step.tag in INSTANT:
            step.ended = began
        else:  # no event says when: it took no time that is known
            step.ended = max(began, min(step.ended, _next_event(steps, step, ended)))
            if not step.events and step.ended >= ended:
                step.ended = began
        began = step.ended


def _next_event(steps: Sequence[Step], after: Step, ended: float) -> float:
    later = steps[steps.index(after) + 1 :]
    return min((at for step in later for at, _ in step.events), default=ended)


def spans_of(steps: Sequence[Step], until: float) -> list[Span]:
    """The transactions, in the order in which they began; numbers are set in the steps as well."""
    spans: list[Span] = []
    open_spans: dict[int, Span] = {}
    last: dict[int, Step] = {}
    for number, step in enumerate(steps):
        last[id(step.exchange)] = steps[number]
    for step in steps:
        span = open_spans.get(step.connection)
        if span is None:
            span = Span(len(spans) + 1, step.connection, step.started, until)
            spans.append(span)
            open_spans[step.connection] = span
        span.steps.append(step)
        step.transaction = span.number
        at_end = step is last[id(step.exchange)]
        if (at_end and step.exchange.after == "I") or (not step.error and _ends(step)):
            span.ended = max(step.ended, step.exchange.ended if at_end else 0.0)
            span.committed = not step.error and step.tag != "ROLLBACK"
            del open_spans[step.connection]
    for span in spans:
        for step in span.steps:
            step.in_block = len(span.steps) > 1
    return spans


def _ends(step: Step) -> bool:
    return step.tag in ENDS and not TO_SAVEPOINT.match(step.sql)
