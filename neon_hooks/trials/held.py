"""Which locks were held from when until when, put together from three kinds of witnesses. Pure.

A witness saw all locks of one session at one moment: the sampler on the server, a snapshot in the session,
the event trigger at the end of a DDL command. None of them sees everything (see database/watchers.py);
together with the statements and the ends of transactions they say who took what, and for how long.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from neon_hooks.trials.steps import Span, Step

Lock = tuple[int, str]  # OID of the relation, mode as in pg_locks

# What can take a lock: where several statements are in question, these decide (manual, section 13.3.1).
ROW_EXCLUSIVE = ("INSERT", "UPDATE", "DELETE", "MERGE", "COPY")
ANY = ("DO", "SELECT", "CALL", "EXECUTE", "FETCH", "")
NEVER = ("BEGIN", "START TRANSACTION", "SAVEPOINT", "RELEASE", "SET", "RESET", "SHOW", "COMMIT", "ROLLBACK")
WEAK = ("AccessShareLock", "RowShareLock", "RowExclusiveLock")


@dataclass(frozen=True)
class Sight:
    """All locks of a session at a moment. ``during``: the statement that was running, if the witness knows."""

    at: float
    locks: frozenset[Lock]
    during: Step | None = None


@dataclass(frozen=True)
class Held:
    """``certain``: how many seconds ``acquired`` and ``released`` may be off together."""

    step: Step
    relation: int
    mode: str
    acquired: float
    released: float
    uncertain: float = 0.0


def held_locks(
    spans: Sequence[Span], sights: Mapping[int, Sequence[Sight]], names: Mapping[int, str]
) -> list[Held]:
    """Every lock that was seen. ``sights``: by connection, in order; ``names``: of the relations by OID."""
    times = {connection: [sight.at for sight in seen] for connection, seen in sights.items()}
    found: list[Held] = []
    for span in spans:
        seen = sights.get(span.connection, ())
        moments = times.get(span.connection, [])
        here = seen[bisect_left(moments, span.started) : bisect_right(moments, span.ended)]
        found += _of_span(span, here, names)
    return found


def _of_span(span: Span, sights: Sequence[Sight], names: Mapping[int, str]) -> Iterable[Held]:
    starts = [step.started for step in span.steps]
    taken: dict[Lock, tuple[Step, float, float]] = {}
    before, known, ended = span.started, frozenset[Lock](), None
    for sight in sights:
        for lock in sorted(sight.locks - known):
            window = between(span.steps, starts, before, sight.at, ended, sight.during)
            step = _taker(window, lock, sight, span, names)
            earliest = max(step.started, before)
            looked = before > step.started  # and did not see it then
            acquired = (earliest + sight.at) / 2 if looked and sight.at < step.ended else earliest
            taken[lock] = (step, min(acquired, sight.at), sight.at - earliest if looked else 0.0)
        for lock in known - sight.locks:
            step, acquired, uncertain = taken.pop(lock)
            released = (before + sight.at) / 2
            yield Held(step, *lock, acquired, max(acquired, released), uncertain + sight.at - before)
        before, known, ended = sight.at, sight.locks, sight.during
    for lock, (step, acquired, uncertain) in taken.items():
        yield Held(step, *lock, acquired, max(acquired, span.ended), uncertain)


def between(
    steps: Sequence[Step], starts: Sequence[float], before: float, at: float, ended: Step | None, during: Step | None
) -> Sequence[Step]:
    """The statements that can have done what was not there ``before`` and is there ``at``.

    ``ended`` was through when it was looked at before, ``during`` was through at the second look.
    """
    found = steps[max(0, bisect_right(starts, before) - 1) : bisect_right(starts, at)]
    found = [step for step in found if step.ended >= before and (step is not ended or step is during)]
    return found[: found.index(during) + 1] if during in found else found


def _taker(
    window: Sequence[Step], lock: Lock, sight: Sight, span: Span, names: Mapping[int, str]
) -> Step:
    """The statement of ``window`` that took ``lock``."""
    candidates = [step for step in window if step.tag not in NEVER]
    if not candidates:
        return sight.during or (window[-1] if window else span.steps[-1])
    able = [step for step in candidates if _can_take(step, lock[1])] or _next_able(candidates[-1], lock, span) or candidates
    mentioning = [step for step in able if mentions(step.sql, names.get(lock[0], ""))]
    return (mentioning or able)[0]


def _next_able(last: Step, lock: Lock, span: Span) -> list[Step]:
    """Statements that share a message have no certain times between them: the one after ``last`` may have begun."""
    shared = [step for step in span.steps if step.exchange is last.exchange]
    after = shared[shared.index(last) + 1 :]
    return [step for step in after if step.tag not in NEVER and _can_take(step, lock[1])][:1]


def _can_take(step: Step, mode: str) -> bool:
    if step.tag in ANY or mode == "AccessShareLock":
        return True
    if step.tag in ROW_EXCLUSIVE:
        return mode in WEAK
    return mode not in WEAK


def mentions(sql: str, name: str) -> bool:
    """Whether the text has the relation's name, without its schema, as a word."""
    bare = name.rpartition(".")[2].strip('"')
    return bool(bare) and re.search(rf"(?<![\w$]){re.escape(bare)}(?![\w$])", sql, re.IGNORECASE) is not None


def together(*witnesses: Iterable[Sight]) -> list[Sight]:
    return sorted((sight for seen in witnesses for sight in seen), key=lambda sight: sight.at)
