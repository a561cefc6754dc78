"""The sampler sees locks that are gone when the answer comes, waits for nobody, and always ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from neon_hooks.database.clock import measure
from neon_hooks.database.connect import Connection, connect
from neon_hooks.database.sampler import Sample, Sampler
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator


@pytest.fixture
def session(each_database: Dsn) -> Iterator[Connection]:
    with closing(connect(each_database)) as connection:
        connection.execute("create table t (a int); insert into t select generate_series(1, 1000)")
        yield connection


def table(connection: Connection) -> int:
    row = connection.execute("select 't'::regclass::oid::int8").fetchone()
    assert row
    return int(row[0])


def held(samples: list[Sample], lock: tuple[int, int, str]) -> list[tuple[float, float]]:
    """From when to when (by the samples) a lock was held; the end of the last time may be missing."""
    times: list[tuple[float, float]] = []
    begun = None
    for sample in samples:
        if lock in sample.locks:
            begun = begun or sample.at
        elif begun:
            times.append((begun, sample.at))
            begun = None
    return times


@pytest.mark.parametrize(
    "sql",
    # Where looks take their time, as on a busy machine, there are fewer of them.
    [
        "lock table t; select pg_sleep(0.8)",  # several statements in one message
        "do $$begin lock table t; perform pg_sleep(0.8); end$$",
        "alter table t add b text default pg_sleep(0.0008)::text",
        "begin; lock table t; select pg_sleep(0.8); rollback",
    ],
)
def test_a_lock_that_is_gone_with_the_answer_was_seen(each_database: Dsn, session: Connection, sql: str) -> None:
    with Sampler(each_database, table(session)) as sampler:
        assert sampler.wait(10)
        began = time.time()
        session.execute(sql.encode())
        ended = time.time()
    assert sampler.failure == ""
    lock = (session.info.backend_pid, table(session), "AccessExclusiveLock")
    ((first, last),) = held(sampler.samples, lock)
    slack = sampler.largest_gap + sampler.clock.round_trip_seconds + 0.05
    assert began - slack < sampler.clock.ours(first) < sampler.clock.ours(last) < ended + slack
    assert last - first > 0.75 - slack


def test_building_an_index_concurrently_does_not_wait_for_it(each_database: Dsn, session: Connection) -> None:
    """It waits for every older snapshot, and one that stayed open would hold it up for ever."""
    session.execute("set statement_timeout = '20s'; insert into t select generate_series(1, 300000)")
    with Sampler(each_database, table(session)) as sampler:
        assert sampler.wait(10)
        session.execute("create index concurrently on t (a)")
    assert {mode for sample in sampler.samples for _, _, mode in sample.locks} == {"ShareUpdateExclusiveLock"}


def test_who_waits_is_told_apart_from_who_holds(each_database: Dsn, session: Connection) -> None:
    oid = table(session)
    with Sampler(each_database, oid) as sampler, closing(connect(each_database)) as other:
        assert sampler.wait(10)
        waiting = other.info.backend_pid
        session.execute("begin; lock table t in share mode")
        waiter = threading.Thread(target=other.execute, args=(b"insert into t values (0)",))
        waiter.start()
        time.sleep(0.2)
        session.execute("commit")
        waiter.join(10)
    both = [sample for sample in sampler.samples if sample.waiting]
    assert both[0].locks == {(session.info.backend_pid, oid, "ShareLock")}
    assert both[0].waiting == {(waiting, oid, "RowExclusiveLock")}


def test_relations_that_came_later_and_other_databases_are_left_out(
    each_server: Dsn, each_database: Dsn, session: Connection
) -> None:
    with Sampler(each_database, table(session)) as sampler, closing(connect(each_server)) as elsewhere:
        assert sampler.wait(10)
        elsewhere.execute("create table if not exists x (a int)")
        looks = sampler.looks
        for _ in range(100):
            elsewhere.execute("begin; lock table x; select pg_sleep(0.1); rollback")
            session.execute("begin; create table u (a int); select pg_sleep(0.1); rollback")
            if sampler.looks > looks + 5:
                break
    pids = {pid for sample in sampler.samples for pid, _, _ in sample.locks}  # autovacuum's at most
    assert sampler.looks > looks + 5 and session.info.backend_pid not in pids


def test_its_end_is_covered_by_a_last_look(each_database: Dsn, session: Connection) -> None:
    with Sampler(each_database, table(session)) as sampler:
        assert sampler.wait(10)
        session.execute("begin; lock table t")
        locked = sampler.clock.servers(time.time())
        began = time.perf_counter()
        sampler.stop()
        assert time.perf_counter() - began < 30
        sampler.stop()
    session.execute("rollback")
    assert sampler.failure == "" and sampler.looks > 0
    assert sampler.looked_until > locked - 0.1
    active = "select count(*) from pg_stat_activity where query like '%$loop$%' and state = 'active' and pid <> pg_backend_pid()"
    assert session.execute(active.encode()).fetchone() == (0,)


def test_a_session_with_a_timeout_of_its_role_goes_on(each_database: Dsn, session: Connection) -> None:
    name = each_database.database
    session.execute(f"alter database {name} set statement_timeout = '100ms'".encode())
    session.execute(f"alter database {name} set search_path = 'nowhere'".encode())
    with Sampler(each_database, table(session)) as sampler:
        assert sampler.wait(10)
        time.sleep(0.4)
    assert sampler.failure == "" and sampler.looked_until > sampler.clock.servers(time.time()) - 0.5


def test_a_server_that_goes_away_is_no_trouble() -> None:
    with Emulator() as emulator:
        sampler = Sampler(emulator.main, 10**6)
        sampler.start()
        assert sampler.wait(10)
    began = time.perf_counter()
    sampler.stop()
    assert time.perf_counter() - began < 30
    assert sampler.failure


def test_a_server_that_is_not_there_is_said(each_database: Dsn) -> None:
    with Sampler(replace(each_database, password="wrong"), 10**6) as sampler:
        assert not sampler.wait(10)
    assert "authentication failed" in sampler.failure


def test_it_may_be_stopped_before_it_began(each_database: Dsn) -> None:
    Sampler(each_database, 10**6).stop()
    for _ in range(20):
        began = time.perf_counter()
        with Sampler(each_database, 10**6):
            pass
        assert time.perf_counter() - began < 30


def test_the_clock_of_the_same_machine_is_ours(each_database: Dsn) -> None:
    with closing(connect(each_database)) as connection:
        clock = measure(connection)
    assert 0 < clock.round_trip_seconds < 1
    assert abs(clock.offset_seconds) <= clock.round_trip_seconds
    assert clock.ours(clock.servers(5.0)) == pytest.approx(5.0)
