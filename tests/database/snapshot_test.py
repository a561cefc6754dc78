"""The query in the tool's own session: right, cheap, and not to be made to fail."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from neon_hooks.database.connect import Connection, connect
from neon_hooks.database.events import Snapshot, parse_event, parse_snapshot
from neon_hooks.database.snapshot import snapshot_sql
from neon_hooks.dsn import Dsn
from tests.fix_database import HOSTILE


@pytest.fixture
def session(each_database: Dsn) -> Iterator[Connection]:
    with closing(connect(each_database)) as connection:
        connection.execute(
            "create table t (a int primary key, b text); insert into t select generate_series(1, 100);"
            " create table u (a int); create materialized view m as select 1 as a"
        )
        yield connection


def oid(connection: Connection, name: str) -> int:
    row = connection.execute("select %s::regclass::oid::int8", (name,)).fetchone()
    assert row
    return int(row[0])


def look(connection: Connection, max_oid: int) -> Snapshot:
    row = connection.execute(snapshot_sql(max_oid).encode()).fetchone()
    snapshot = parse_snapshot(row[0]) if row else None
    assert snapshot, row
    return snapshot


def test_outside_of_everything_it_sees_nothing(session: Connection) -> None:
    snapshot = look(session, oid(session, "m"))
    assert (snapshot.locks, snapshot.files, snapshot.scans) == (frozenset(), {}, {})
    assert abs(snapshot.at - time.time()) < 60


def test_it_sees_locks_files_and_scans_of_its_transaction(session: Connection) -> None:
    t, m = oid(session, "t"), oid(session, "m")
    session.execute("begin")
    session.execute("lock table t in share mode")
    before = look(session, m)
    assert before.locks == {(t, "ShareLock")} and before.scans.keys() == {t}
    session.execute("alter table t add check (a > 0)")
    scanned = look(session, m)
    assert (t, "AccessExclusiveLock") in scanned.locks
    assert scanned.files[t] == before.files[t] and scanned.scans[t] == before.scans[t] + 1
    session.execute("alter table t alter b type int using 1")
    assert look(session, m).files[t] != before.files[t]
    session.execute("truncate u; refresh materialized view m")
    assert look(session, m).files.keys() >= {t, oid(session, "u"), m}
    session.execute("create table later (a int)")
    assert oid(session, "later") not in {relation for relation, _ in look(session, m).locks}
    session.execute("rollback")


def test_it_tells_the_timeouts_in_force(session: Connection) -> None:
    session.execute("begin; set local lock_timeout = '90s'; set local statement_timeout = '1500ms'")
    snapshot = look(session, 0)
    assert (snapshot.lock_timeout_ms, snapshot.statement_timeout_ms) == (90_000, 1500)
    session.execute("rollback")


def test_nothing_in_a_session_leads_it_astray(session: Connection) -> None:
    t = oid(session, "t")
    session.execute(HOSTILE.encode())
    session.execute("begin read only; select a from public.t limit 1")
    assert (t, "AccessShareLock") in look(session, t).locks
    session.execute("rollback; begin isolation level serializable; set local role pg_monitor")
    look(session, t)
    session.execute("rollback; set search_path = ''")
    look(session, t)


def test_it_is_cheap_with_many_locks(session: Connection) -> None:
    """Prints what it costs."""
    last = oid(session, "m")
    taken = {}
    for tables in (0, 500, 2000):
        session.execute("begin")
        body = f"for i in 1..{tables} loop execute 'create table x' || i || ' (a int)'; end loop"
        session.execute(f"do $$begin {body}; end$$".encode())
        times = []
        for _ in range(5):
            began = time.perf_counter()
            look(session, last)
            times.append(time.perf_counter() - began)
        row = session.execute("select count(*) from pg_locks").fetchone()
        assert row
        taken[int(row[0])] = min(times)
        session.execute("rollback")
    print({locks: f"{seconds * 1000:.2f} ms" for locks, seconds in taken.items()})
    (_, fewer, many), counts = taken.values(), list(taken)
    assert many < 3 * fewer * counts[2] / counts[1]


def test_a_text_of_another_form_is_no_report() -> None:
    for text in ("", "[]", "{}", "x", '{"kind": "ddl"}', '{"kind": [], "at": 1}', '{"at": 1, "locks": 3}'):
        assert parse_event(text) is None and parse_snapshot(text) is None
