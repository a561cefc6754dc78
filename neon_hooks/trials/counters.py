"""What a session's counters tell of a recorded run: tables read in full, and rows that blocks changed. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neon_hooks.database.clock import Clock
from neon_hooks.database.counting import parse_counts
from neon_hooks.database.events import Ddl, Snapshot
from neon_hooks.recorder import COUNT, Injection, Recording
from neon_hooks.trials.held import between, mentions
from neon_hooks.trials.notes import Log, Notes, Relations
from neon_hooks.trials.steps import Span, Step

BLOCKS = ("DO", "CALL")
CHANGES_ROWS = ("UPDATE", "DELETE", "MERGE")
WITH_ROWS = ("r", "p", "m")


@dataclass(frozen=True)
class _Look:
    """The scan counters of a session, ``during`` a statement if that is known."""

    at: float
    during: Step | None
    scans: Mapping[int, int]


def note_scans(
    spans: Sequence[Span],
    snapshots: Sequence[tuple[Injection, Snapshot]],
    log: Log,
    notes: Mapping[int, Notes],
    relations: Relations,
) -> None:
    """Which statement read a table in full: the counters are a session's, and grow (events.OwnLock)."""
    looks: defaultdict[int, list[_Look]] = defaultdict(list)
    for injection, snapshot in snapshots:
        looks[injection.connection].append(_Look(log.clock.ours(snapshot.at), None, snapshot.scans))
    for span in spans:
        for step in span.steps:
            for at, event in step.events:
                if isinstance(event, Ddl) and (event.locks is not None or event.built):
                    scans = {**event.built, **{lock.relation: lock.scans for lock in event.locks or ()}}
                    looks[span.connection].append(_Look(at, step, scans))
    for connection, seen in looks.items():
        own = [step for span in spans if span.connection == connection for step in span.steps]
        starts = [step.started for step in own]
        counts = _own_scans(log.recording, connection)
        partitioned = {table.name for table in relations.tables.values() if table.kind == "p"}
        known: dict[int, int] = {}
        last = _Look(0.0, None, {})
        for look in sorted(seen, key=lambda look: look.at):
            window = between(own, starts, last.at, look.at, last.during, look.during)
            ours = Counter(name for at, name in counts if last.at < at <= look.at)
            for oid, count in look.scans.items():
                table = relations.table(oid)
                grown = count - known[oid] if count >= known.get(oid, count + 1) else count
                known[oid] = count
                if table and table.kind in WITH_ROWS:
                    grown -= ours[table.name]
                    if partitioned & ours.keys() and not any(mentions(step.sql, table.name) for step in window):
                        grown -= 1  # counting a partitioned table reads each of its partitions
                    if grown > 0:
                        _note_scan(window, look.during, table.name, notes)
            last = look


def note_changes(
    steps: Sequence[Step],
    snapshots: Sequence[tuple[Injection, Snapshot]],
    clock: Clock,
    notes: Mapping[int, Notes],
    relations: Relations,
) -> None:
    """Rows that DO blocks and procedures changed: by how much more a session counts than its other statements say."""
    own: defaultdict[int, list[Step]] = defaultdict(list)
    for step in steps:
        own[step.connection].append(step)
    starts = {connection: [step.started for step in made] for connection, made in own.items()}
    since: dict[tuple[int, int], tuple[float, int]] = {}
    for injection, snapshot in snapshots:
        at, connection = clock.ours(snapshot.at), injection.connection
        for oid, count in snapshot.changes.items():
            table = relations.table(oid)
            last, known = since.get((connection, oid), (0.0, 0))
            since[connection, oid] = at, count
            if table is None:
                continue
            began = starts.get(connection, [])
            window = own[connection][bisect_left(began, last) : bisect_left(began, at)]
            told = sum(s.rows or 0 for s in window if s.tag in CHANGES_ROWS and mentions(s.sql, table.name))
            grown = (count - known if count >= known else count) - told
            blocks = [step for step in window if step.tag in BLOCKS]
            if grown > 0 and blocks:
                note = notes[id(next((step for step in blocks if mentions(step.sql, table.name)), blocks[0]))]
                note.changed = (note.changed or 0) + grown


def _own_scans(recording: Recording, connection: int) -> list[tuple[float, str]]:
    """When our own counting read which table: a scan for each thing that was counted."""
    return [
        (injection.sent, each.relation)
        for injection in recording.injections
        if injection.purpose == COUNT and injection.connection == connection
        for each in parse_counts(injection.text)
        if each.values is not None
    ]


def _note_scan(window: Sequence[Step], during: Step | None, name: str, notes: Mapping[int, Notes]) -> None:
    """The statements in question, the one that mentions the table first."""
    mentioning = [step for step in window if mentions(step.sql, name)]
    step = mentioning[0] if mentioning else during or (window[-1] if window else None)
    if step and name not in notes[id(step)].scans:
        notes[id(step)].scans.append(name)
