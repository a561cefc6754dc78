"""The account of a recorded run: statements with their locks, rewrites, scans, drops and losses. Pure.

Everything is told relative to the start of the run, and only of relations that existed before it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from neon_hooks.database.clock import Clock
from neon_hooks.database.events import Ddl, Drop, Rewrite, Snapshot
from neon_hooks.facts import Catalogue, DatabaseError, Dropped, Evidence, LockHeld, Statement, ToolRun, Transaction
from neon_hooks.recorder import Exchange, Injection
from neon_hooks.trials.counters import note_changes, note_scans
from neon_hooks.trials.frames import with_frames
from neon_hooks.trials.held import held_locks, mentions
from neon_hooks.trials.locks import lock_of, sampled, sights_of
from neon_hooks.trials.losses import note_losses
from neon_hooks.trials.notes import Log, Notes, Relations, snapshots_of
from neon_hooks.trials.steps import Span, Step, spans_of, steps_of

MOST_GAP = 0.25  # seconds; a sampler that looked more rarely missed what the limits are about
# Statements that give a table a new file without an event trigger's notice.
NEW_FILE = ("VACUUM", "CLUSTER", "REFRESH MATERIALIZED VIEW")
# What only exists as a part of something else: nobody misses it on its own.
PARTS = ("rule", "type", "default value")


def account(
    run: ToolRun,
    log: Log,
    before: Catalogue,
    *,
    redact: Callable[[str], str],
    unrecorded: frozenset[str] = frozenset(),
) -> ToolRun:
    """The run with what was recorded in the place of what the driver shim saw."""
    relations = Relations(before, unrecorded)
    steps = steps_of(log.recording, log.clock, log.ended)
    spans = spans_of(steps, log.ended)
    notes: defaultdict[int, Notes] = defaultdict(Notes)
    snapshots = snapshots_of(log.recording)
    for held in held_locks(spans, sights_of(log, steps, snapshots), relations.names):
        if held.relation in relations.tables:
            notes[id(held.step)].locks.append(lock_of(held, log, relations))
    for step in steps:
        _by_events(step, notes[id(step)], relations)
    note_scans(spans, snapshots, log, notes, relations)
    note_changes(steps, snapshots, log.clock, notes, relations)
    _timeouts(spans, snapshots, log.clock, notes)
    note_losses(steps, log.recording, notes, before)
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


def around_the_proxy(run: ToolRun, log: Log, relations: Relations) -> tuple[Statement, ...]:
    """The statements that the driver shim saw, with the locks that the sampler saw: for drivers that speak
    HTTP or WebSocket. A lock goes to the last statement that had begun by then; without any, to one
    without a text.
    """
    statements = sorted(run.statements, key=lambda statement: statement.started_ms)
    starts = [statement.started_ms for statement in statements]
    locks: defaultdict[int, list[LockHeld]] = defaultdict(list)
    for pid in {pid for sample in log.samples for pid, _, _ in sample.locks}:
        sights = list(sampled(log, pid))
        step = Step(Exchange(pid, "", log.began, ""), "", log.began, log.ended)
        whole = Span(1, pid, log.began, log.ended, steps=[step])
        for held in held_locks([whole], {pid: sights}, relations.names):
            if held.relation in relations.tables:
                lock = lock_of(held, log, relations)
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


def _by_events(step: Step, note: Notes, relations: Relations) -> None:
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


def _timeouts(
    spans: Sequence[Span],
    snapshots: Sequence[tuple[Injection, Snapshot]],
    clock: Clock,
    notes: Mapping[int, Notes],
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


def _statement(step: Step, note: Notes, began: float, redact: Callable[[str], str]) -> Statement:
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
