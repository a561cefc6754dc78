"""The account of a recorded run: statements with their locks, rewrites, scans, drops and losses. Pure.

Everything is told relative to the start of the run, and only of relations that existed before it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from neon_hooks.database.clock import Clock
from neon_hooks.database.counting import Counted, parse_counts, would_lose
from neon_hooks.database.events import Ddl, Drop, Rewrite, Snapshot, parse_snapshot
from neon_hooks.database.sampler import Sample
from neon_hooks.facts import (
    Catalogue, DatabaseError, Dropped, Evidence, LockHeld, Lost, Statement, Table, ToolRun, Transaction,
)  # fmt: skip
from neon_hooks.recorder import COUNT, SNAPSHOT, Exchange, Injection, Recording
from neon_hooks.trials.frames import with_frames
from neon_hooks.trials.held import Held, Sight, between, held_locks, mentions, together
from neon_hooks.trials.steps import Span, Step, spans_of, steps_of

MOST_GAP = 0.25  # seconds; a sampler that looked more rarely missed what the limits are about
# Statements that give a table a new file without an event trigger's notice.
NEW_FILE = ("VACUUM", "CLUSTER", "REFRESH MATERIALIZED VIEW")
BLOCKS = ("DO", "CALL")
CHANGES_ROWS = ("UPDATE", "DELETE", "MERGE")
WITH_ROWS = ("r", "p", "m")
# What only exists as a part of something else: nobody misses it on its own.
PARTS = ("rule", "type", "default value")


@dataclass(frozen=True)
class Log:
    """What proxy and witnesses have. ``began`` and ``ended`` of the run, and ``gap``, are seconds."""

    recording: Recording
    samples: tuple[Sample, ...]
    clock: Clock
    began: float
    ended: float
    problems: tuple[str, ...] = ()
    gap: float = 0.0


@dataclass
class _Notes:
    """What is known about one statement besides the statement itself."""

    locks: list[LockHeld] = field(default_factory=list)
    rewrites: list[str] = field(default_factory=list)
    scans: list[str] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    timeouts: tuple[float, float] | None = None
    changed: int | None = None  # rows, where the server's own answer has no number


@dataclass(frozen=True)
class _Look:
    """The scan counters of a session, ``during`` a statement if that is known."""

    at: float
    during: Step | None
    scans: Mapping[int, int]


class _Relations:
    """The relations that existed before, with their indexes, by OID."""

    def __init__(self, before: Catalogue, unrecorded: frozenset[str]) -> None:
        self.tables: dict[int, Table] = {}
        self.names: dict[int, str] = {}
        for oid, table in before.tables.items():
            if table.name.rpartition(".")[2].strip('"') in unrecorded:
                continue
            self.tables[oid] = table
            self.names[oid] = table.name
            for index in table.indexes:
                self.tables[index.oid] = table
                self.names[index.oid] = index.name

    def table(self, oid: int) -> Table | None:
        """The table that is ``oid``, None for an index too."""
        table = self.tables.get(oid)
        return table if table and table.oid == oid else None


def account(
    run: ToolRun,
    log: Log,
    before: Catalogue,
    *,
    redact: Callable[[str], str],
    unrecorded: frozenset[str] = frozenset(),
) -> ToolRun:
    """The run with what was recorded in the place of what the driver shim saw."""
    relations = _Relations(before, unrecorded)
    steps = steps_of(log.recording, log.clock, log.ended)
    spans = spans_of(steps, log.ended)
    notes: defaultdict[int, _Notes] = defaultdict(_Notes)
    snapshots = _snapshots(log.recording)
    for held in held_locks(spans, _sights(log, steps, snapshots), relations.names):
        if held.relation in relations.tables:
            notes[id(held.step)].locks.append(_lock(held, log, relations))
    for step in steps:
        _by_events(step, notes[id(step)], relations)
    _scans(spans, snapshots, log, notes, relations)
    _changes(steps, snapshots, log.clock, notes, relations)
    _timeouts(spans, snapshots, log.clock, notes)
    _losses(steps, log.recording, notes, before)
    problems = _problems(run, log)
    if not log.recording.peers and (run.statements or run.connections):
        unseen = around_the_proxy(run, log, relations)
        return replace(run, statements=unseen, evidence=Evidence.PARTIAL, unrecorded="; ".join(problems))
    statements = tuple(_statement(step, notes[id(step)], log.began, redact) for step in steps)
    return replace(
        run,
        statements=with_frames(statements, run.statements),
        transactions=tuple(_transaction(span, log.began) for span in spans),
        evidence=Evidence.PARTIAL if problems else Evidence.FULL,
        unrecorded="; ".join(problems),
        round_trip_ms=round(log.clock.round_trip_seconds * 1000, 3),
    )


def around_the_proxy(run: ToolRun, log: Log, relations: _Relations) -> tuple[Statement, ...]:
    """The statements that the driver shim saw, with the locks that the sampler saw: for drivers that speak
    HTTP or WebSocket. A lock goes to the last statement that had begun by then; without any, to one
    without a text.
    """
    statements = sorted(run.statements, key=lambda statement: statement.started_ms)
    starts = [statement.started_ms for statement in statements]
    locks: defaultdict[int, list[LockHeld]] = defaultdict(list)
    for pid in {pid for sample in log.samples for pid, _, _ in sample.locks}:
        sights = list(_sampled(log, pid))
        step = Step(Exchange(pid, "", log.began, ""), "", log.began, log.ended)
        whole = Span(1, pid, log.began, log.ended, steps=[step])
        for held in held_locks([whole], {pid: sights}, relations.names):
            if held.relation in relations.tables:
                lock = _lock(held, log, relations)
                locks[bisect_right(starts, lock.acquired_ms) - 1].append(lock)
    found = [replace(statement, locks=tuple(locks[number])) for number, statement in enumerate(statements)]
    nobodys = locks.get(-1)
    return (Statement(sql="", locks=tuple(nobodys)), *found) if nobodys else tuple(found)


def with_new_files(run: ToolRun, before: Catalogue, after: Catalogue) -> ToolRun:
    """The run with the rewrites that no event trigger tells of: by the files of the tables, which changed."""
    known = {name for statement in run.statements for name in statement.rewrites}
    statements = list(run.statements)
    for oid, table in before.tables.items():
        now = after.tables.get(oid)
        if now is None or now.filenode == table.filenode or table.name in known:
            continue
        for number in reversed(range(len(statements))):
            statement = statements[number]
            if statement.tag in NEW_FILE and _is_about(statement, table.name):
                statements[number] = replace(statement, rewrites=(*statement.rewrites, table.name))
                break
    return replace(run, statements=tuple(statements))


def _is_about(statement: Statement, table: str) -> bool:
    return mentions(statement.sql, table) or any(
        lock.table == table and lock.mode == "AccessExclusiveLock" for lock in statement.locks
    )


def _problems(run: ToolRun, log: Log) -> list[str]:
    found = list(log.problems)
    peers = log.recording.peers
    if not peers and (run.connections or run.statements):
        found.append("the tool did not connect by the wire protocol, so its statements were not recorded")
    if log.recording.troubles or any(peer.blind for peer in peers):
        found.append("a connection of the tool could not be followed to its end")
    if log.gap > MOST_GAP:
        found.append(f"the locks were not looked at for {log.gap:.1f} s")
    return found


def _snapshots(recording: Recording) -> list[tuple[Injection, Snapshot]]:
    parsed = ((i, parse_snapshot(i.text)) for i in recording.injections if i.purpose == SNAPSHOT)
    return [(injection, snapshot) for injection, snapshot in parsed if snapshot]


def _sights(
    log: Log, steps: Sequence[Step], snapshots: Sequence[tuple[Injection, Snapshot]]
) -> dict[int, list[Sight]]:
    """What the three witnesses saw, by connection."""
    found: dict[int, list[Sight]] = {}
    connections = {peer.pid: peer.number for peer in log.recording.peers if peer.pid}
    for pid, connection in connections.items():
        counts = [i for i in log.recording.injections if i.connection == connection and i.purpose == COUNT]
        found[connection] = together(
            # What our own counting locks is not the tool's.
            (s for s in _sampled(log, pid) if not any(i.sent <= s.at <= i.answered for i in counts)),
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


def _sampled(log: Log, pid: int) -> Iterator[Sight]:
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


def _lock(held: Held, log: Log, relations: _Relations) -> LockHeld:
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


def _by_events(step: Step, note: _Notes, relations: _Relations) -> None:
    for _, event in step.events:
        if isinstance(event, Rewrite) and relations.table(event.relation):
            note.rewrites.append(relations.names[event.relation])
        elif isinstance(event, Drop):
            note.dropped += (
                Dropped(each.kind, each.identity, cascaded=not each.original)
                for each in event.dropped
                if each.original or (each.normal and each.kind not in PARTS)
            )
        elif isinstance(event, Ddl):
            note.timeouts = event.lock_timeout_ms, event.statement_timeout_ms


def _scans(
    spans: Sequence[Span],
    snapshots: Sequence[tuple[Injection, Snapshot]],
    log: Log,
    notes: Mapping[int, _Notes],
    relations: _Relations,
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


def _changes(
    steps: Sequence[Step],
    snapshots: Sequence[tuple[Injection, Snapshot]],
    clock: Clock,
    notes: Mapping[int, _Notes],
    relations: _Relations,
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


def _note_scan(window: Sequence[Step], during: Step | None, name: str, notes: Mapping[int, _Notes]) -> None:
    """The statements in question, the one that mentions the table first."""
    mentioning = [step for step in window if mentions(step.sql, name)]
    step = mentioning[0] if mentioning else during or (window[-1] if window else None)
    if step and name not in notes[id(step)].scans:
        notes[id(step)].scans.append(name)


def _timeouts(
    spans: Sequence[Span],
    snapshots: Sequence[tuple[Injection, Snapshot]],
    clock: Clock,
    notes: Mapping[int, _Notes],
) -> None:
    """Snapshots know the limits that were in force before them."""
    by_connection: defaultdict[int, list[tuple[float, Snapshot]]] = defaultdict(list)
    for injection, snapshot in snapshots:
        by_connection[injection.connection].append((clock.ours(snapshot.at), snapshot))
    for span in spans:
        known = by_connection.get(span.connection, [])
        moments = [at for at, _ in known]
        for step in span.steps:
            after = bisect_right(moments, step.ended)
            if notes[id(step)].timeouts is None and after < len(known) and moments[after] <= span.ended:
                snapshot = known[after][1]
                notes[id(step)].timeouts = snapshot.lock_timeout_ms, snapshot.statement_timeout_ms


def _losses(
    steps: Sequence[Step], recording: Recording, notes: Mapping[int, _Notes], before: Catalogue
) -> None:
    """What was counted before the statements that took it away, where they succeeded."""
    counted: defaultdict[int, list[Counted]] = defaultdict(list)
    for injection in recording.injections:
        if injection.purpose == COUNT and injection.before:
            counted[id(injection.before)] += parse_counts(injection.text)
    for step in steps:
        if step.error:
            continue
        of_exchange = counted.get(id(step.exchange), [])
        targets = would_lose(step.sql) if of_exchange else ()
        meant = {(target.kind, target.relation, target.column) for target in targets}
        note = notes[id(step)]
        for each in of_exchange:
            bare = each.relation.rpartition(".")[2].strip('"')
            if {(each.kind, bare, each.column), (each.kind, "", each.column)} & meant:
                values = each.values if each.values is not None else each.estimate
                if values:
                    note.lost.append(Lost(each.relation, each.column, values, each.values is not None))
        if not of_exchange:
            note.lost += _estimated(note.dropped, before)


def _estimated(dropped: Sequence[Dropped], before: Catalogue) -> Iterator[Lost]:
    """For what a DO block or a function dropped: nobody could count it before."""
    for each in dropped:
        if each.kind == "table":
            table = before.named(each.identity)
            if table and table.rows:
                yield Lost(table.name, "", table.rows, exact=False)
        elif each.kind == "table column":
            name, _, column = each.identity.rpartition(".")
            table = before.named(name)
            found = next((c for c in table.columns if c.name == column.strip('"')), None) if table else None
            if table and found and table.rows:
                values = round(table.rows * (1 - (found.null_fraction or 0.0)))
                if values:
                    yield Lost(table.name, found.name, values, exact=False)


def _statement(step: Step, note: _Notes, began: float, redact: Callable[[str], str]) -> Statement:
    lock_timeout, statement_timeout = note.timeouts or (None, None)
    return Statement(
        sql=redact(step.sql),
        started_ms=round((step.started - began) * 1000, 3),
        ms=round((step.ended - step.started) * 1000, 3),
        transaction=step.transaction,
        rows=note.changed if step.rows is None else step.rows,
        locks=tuple(sorted(note.locks, key=lambda lock: (lock.acquired_ms, lock.relation))),
        rewrites=tuple(dict.fromkeys(note.rewrites)),
        scans=tuple(note.scans),
        error=error_of(step.error, redact) if step.error else None,
        params=redact(step.exchange.params),
        tag=step.tag,
        in_block=step.in_block,
        dropped=tuple(note.dropped),
        lost=tuple(note.lost),
        lock_timeout_ms=lock_timeout,
        statement_timeout_ms=statement_timeout,
        warnings=_warnings(step.exchange),
    )


def _warnings(exchange: Exchange) -> tuple[str, ...]:
    return tuple(n.get("sqlstate", "") for n in exchange.notices if n.get("severity") == "WARNING")


def error_of(fields: Mapping[str, str], redact: Callable[[str], str]) -> DatabaseError:
    position = fields.get("position", "")
    words = {key: redact(fields.get(key, "")) for key in ("message", "detail", "hint", "context")}
    return DatabaseError(
        sqlstate=fields.get("sqlstate", ""), position=int(position) if position.isdigit() else 0, **words
    )


def _transaction(span: Span, began: float) -> Transaction:
    return Transaction(
        span.number, round((span.started - began) * 1000, 3), round((span.ended - began) * 1000, 3), span.committed
    )
