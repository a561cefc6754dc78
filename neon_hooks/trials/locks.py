"""The locks of a recorded run as facts: what each witness saw, and how long the tool itself held what. Pure.

Which statement took a lock is found in held.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from neon_hooks.database.events import Ddl, Snapshot
from neon_hooks.facts import LockHeld
from neon_hooks.recorder import COUNT, Injection
from neon_hooks.trials.held import Held, Sight, together
from neon_hooks.trials.notes import Log, Relations
from neon_hooks.trials.steps import Step


def sights_of(
    log: Log, steps: Sequence[Step], snapshots: Sequence[tuple[Injection, Snapshot]]
) -> dict[int, list[Sight]]:
    """What the three witnesses saw, by connection."""
    found: dict[int, list[Sight]] = {}
    connections = {peer.pid: peer.number for peer in log.recording.peers if peer.pid}
    for pid, connection in connections.items():
        counts = [i for i in log.recording.injections if i.connection == connection and i.purpose == COUNT]
        found[connection] = together(
            # What our own counting locks is not the tool's.
            (s for s in sampled(log, pid) if not any(i.sent <= s.at <= i.answered for i in counts)),
            (
                Sight(min(log.clock.ours(snapshot.at), injection.answered), snapshot.locks)
                for injection, snapshot in snapshots
                if injection.connection == connection
            ),
            (
                Sight(at, frozenset((lock.relation, lock.mode) for lock in event.locks), step)
                for step in steps
                if step.connection == connection
                for at, event in step.events
                if isinstance(event, Ddl) and event.locks is not None
            ),
        )
    return found


def sampled(log: Log, pid: int) -> Iterator[Sight]:
    """What is seen once holds until just before the next change: each change is two sights."""
    last: frozenset[tuple[int, str]] | None = None
    for sample in log.samples:
        locks = frozenset((relation, mode) for owner, relation, mode in sample.locks if owner == pid)
        if locks == last:
            continue
        if last is not None:
            yield Sight(log.clock.ours(sample.since), last)
        yield Sight(log.clock.ours(sample.at), locks)
        last = locks


def lock_of(held: Held, log: Log, relations: Relations) -> LockHeld:
    table = relations.tables[held.relation]
    ours = sum(
        _overlap(injection, held, log.clock.round_trip_seconds)
        for injection in log.recording.injections
        if injection.connection == held.step.connection and injection.answered > held.acquired
    )
    return LockHeld(
        relation=relations.names[held.relation],
        mode=held.mode,
        held_ms=round(max(0.0, held.released - held.acquired - ours) * 1000, 3),
        existed_before=True,
        rows=table.rows,
        oid=held.relation,
        table=table.name,
        acquired_ms=round((held.acquired - log.began) * 1000, 3),
        bytes=table.bytes,
    )


def _overlap(injection: Injection, held: Held, round_trip: float) -> float:
    """Seconds of a lock that went to a query of ours."""
    began, ended = max(injection.sent, held.acquired), min(injection.answered, held.released)
    return max(0.0, ended - began - round_trip)
