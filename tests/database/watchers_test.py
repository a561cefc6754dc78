"""What the event triggers tell, that they never disturb, and that nothing of them is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import psycopg
import pytest

from neon_hooks.database import watchers
from neon_hooks.database.connect import Connection, connect
from neon_hooks.database.events import Ddl, Drop, Event, Object, Rewrite, parse_event
from neon_hooks.database.inspect import schema_lines
from neon_hooks.database.sampler import Sampler
from neon_hooks.dsn import Dsn
from tests.fix_database import HOSTILE

TABLES = """
create table users (id int primary key, email text);
insert into users select g, 'x' from generate_series(1, 1000) g;
create table orders (id int primary key, user_id int references users);
"""


class Session:
    """A tool's connection, and what it was told."""

    def __init__(self, dsn: Dsn) -> None:
        self.connection = connect(dsn)
        self.connection.add_notice_handler(self.hear)
        self.told: list[Event] = []
        self.others: list[str | None] = []

    def hear(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.sqlstate != "NH001":
            self.others.append(notice.message_primary)
            return
        assert notice.severity_nonlocalized == "INFO"
        event = parse_event(notice.message_primary or "")
        assert event, notice.message_primary
        self.told.append(event)

    def run(self, sql: str) -> list[Event]:
        self.told.clear()
        self.connection.execute(sql.encode())
        return list(self.told)

    def tell(self, sql: str) -> list[tuple[str, str]]:
        """Kind and command tag of each event."""
        return [(type(event).__name__.lower(), event.tag) for event in self.run(sql)]


@pytest.fixture
def setup(each_database: Dsn) -> Iterator[Connection]:
    with closing(connect(each_database)) as connection:
        connection.execute(TABLES.encode())
        yield connection


@contextmanager
def watching(dsn: Dsn, setup: Connection) -> Iterator[tuple[Session, watchers.Watchers]]:
    installed = watchers.install(setup)
    assert installed.refused == ""
    session = Session(dsn)
    yield session, installed
    session.connection.close()
    watchers.remove(setup)


@pytest.fixture
def session(each_database: Dsn, setup: Connection) -> Iterator[Session]:
    with watching(each_database, setup) as (session, _):
        yield session


def oid(connection: Connection, name: str) -> int:
    row = connection.execute("select %s::regclass::oid::int8", (name,)).fetchone()
    assert row
    return int(row[0])


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("alter table users add a int", [("ddl", "ALTER TABLE")]),
        ("begin; alter table users add a int; commit", [("ddl", "ALTER TABLE")]),
        ("alter table users add a int; create index on users (a)", [("ddl", "ALTER TABLE"), ("ddl", "CREATE INDEX")]),
        ("do $$begin execute 'alter table users add a int'; end$$", [("ddl", "ALTER TABLE")]),
        ("create index concurrently on users (email)", [("ddl", "CREATE INDEX")]),
        ("alter table users alter id type bigint", [("rewrite", "ALTER TABLE"), ("ddl", "ALTER TABLE")]),
        ("drop table orders", [("drop", "DROP TABLE"), ("ddl", "DROP TABLE")]),
        ("create temp table t (a int)", []),
        ("alter table users alter email type varchar", [("ddl", "ALTER TABLE")]),
        ("grant select on users to public", [("ddl", "GRANT")]),
        ("comment on table users is 'x'", [("ddl", "COMMENT")]),
        ("create extension pgcrypto", [("ddl", "CREATE EXTENSION")]),
        ("select 1; insert into users values (0)", []),
        ("truncate orders", []),
        ("set client_min_messages = error; alter table users add a int", [("ddl", "ALTER TABLE")]),
        (
            "begin; savepoint s; alter table users add a int; rollback to s; create table t (); rollback",
            [("ddl", "ALTER TABLE"), ("ddl", "CREATE TABLE")],
        ),
    ],
)
def test_each_command_is_told_once(session: Session, sql: str, told: list[tuple[str, str]]) -> None:
    assert session.tell(sql) == told


def test_a_command_tells_its_objects_its_locks_and_the_timeouts(session: Session, setup: Connection) -> None:
    users = oid(setup, "users")
    before = time.time()
    rewrite, ddl = session.run(
        "set lock_timeout = '5s'; set statement_timeout = '2h'; alter table users alter id type bigint"
    )
    assert isinstance(rewrite, Rewrite) and isinstance(ddl, Ddl)
    assert (rewrite.relation, rewrite.name, rewrite.reason) == (users, "public.users", 4)
    assert ddl.objects == (Object(1259, users, "table", "public.users", "ALTER TABLE"),) and ddl.count == 1
    assert (ddl.lock_timeout_ms, ddl.statement_timeout_ms) == (5000, 7_200_000)
    assert before - 1 < rewrite.at < ddl.at < time.time() + 1
    assert ddl.locks is not None
    held = {(lock.relation, lock.mode) for lock in ddl.locks}
    assert (users, "AccessExclusiveLock") in held
    assert next(lock.scans for lock in ddl.locks if lock.relation == users) > 0


def test_what_cascaded_is_told_apart(session: Session) -> None:
    drop = session.run("create view v as select * from users; drop table users cascade")[1]
    assert isinstance(drop, Drop) and drop.count == len(drop.dropped)
    named = {dropped.identity for dropped in drop.dropped if dropped.original}
    also = {dropped.identity for dropped in drop.dropped if dropped.normal}
    assert named == {"public.users"}
    assert {"public.v", "orders_user_id_fkey on public.orders"} <= also


def test_a_dropped_column_is_named(session: Session) -> None:
    drop = session.run("alter table users drop email")[0]
    assert isinstance(drop, Drop)
    assert [(dropped.kind, dropped.identity) for dropped in drop.dropped] == [("table column", "public.users.email")]


def test_long_lists_are_cut_and_counted(session: Session) -> None:
    names = [f"t{number}" for number in range(watchers.MOST_DROPPED)]
    schema = "create schema many " + " ".join(f"create table {name} ()" for name in names)
    *_, created = session.run(schema)
    assert isinstance(created, Ddl)
    assert (created.count, len(created.objects)) == (watchers.MOST_DROPPED + 1, watchers.MOST_OBJECTS)
    drop = session.run("drop schema many cascade")[0]
    assert isinstance(drop, Drop)
    assert drop.count > len(drop.dropped) == watchers.MOST_DROPPED
    assert "many" in {dropped.identity for dropped in drop.dropped if dropped.original}


def test_new_relations_are_not_listed(session: Session) -> None:
    events = session.run("begin; create table t (a int primary key); alter table t add b int; commit")
    assert [event.locks for event in events if isinstance(event, Ddl)] == [(), ()]


def test_which_partitions_an_index_was_built_on_is_told_when_listing_locks_is_dear(each_database: Dsn, setup: Connection) -> None:
    setup.execute("create table days (day int, at int) partition by list (day)")
    for day in (1, 2):
        setup.execute(f"create table day_{day} partition of days for values in ({day})".encode())
    setup.execute("create index on day_1 (at)")
    with watching(each_database, setup) as (session, _):
        (event,) = session.run(f"set {watchers.NEXT_LISTING} = '99999999999'; create index on days (at)")
    assert isinstance(event, Ddl) and event.locks is None
    assert {name: event.built[oid(setup, name)] for name in ("day_1", "day_2")} == {"day_1": 0, "day_2": 1}


def test_nothing_in_a_session_leads_them_astray(each_database: Dsn, setup: Connection) -> None:
    setup.execute(HOSTILE.encode())
    setup.execute("reset all")
    with watching(each_database, setup) as (session, _):
        settings = HOSTILE[HOSTILE.index("set search_path") :]
        session.run(settings + f"set {watchers.NEXT_LISTING} = 'no number'")
        for sql in ("alter table users alter id type bigint", "create table t (a int)", "drop table t"):
            assert session.tell(sql)[-1][0] == "ddl"
        assert session.connection.execute("show search_path").fetchone() == ("hostile, pg_catalog, public",)


def test_a_statement_fails_as_it_would_have(session: Session) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation):
        session.run("alter table users add a int not null")
    assert session.run("alter table users add a int") != []
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        session.run("begin read only; create table t ()")
    session.run("rollback")
    assert session.others == []


def test_nothing_is_left(each_database: Dsn, setup: Connection) -> None:
    before = schema_lines(setup)
    with watching(each_database, setup):
        assert schema_lines(setup) != before
    assert schema_lines(setup) == before
    left = "select (select count(*) from pg_event_trigger) + (select count(*) from pg_namespace where nspname = %s)"
    assert setup.execute(left, (watchers.SCHEMA,)).fetchone() == (0,)
    watchers.remove(setup)


def test_removal_tells_nobody_and_takes_half_an_installation_too(each_database: Dsn, setup: Connection) -> None:
    setup.execute(f"create schema {watchers.SCHEMA}; create function {watchers.SCHEMA}.ddl() returns int return 1".encode())
    with watching(each_database, setup) as (session, _):
        watchers.remove(session.connection)
        assert (session.told, session.others) == ([], [])
        assert session.tell("create table t ()") == []


def test_the_largest_oid_parts_what_was_there_from_what_came(each_database: Dsn, setup: Connection) -> None:
    with watching(each_database, setup) as (session, installed):
        session.run("create table t ()")
        assert oid(setup, "orders_pkey") <= installed.max_oid < oid(setup, "t")


def test_who_may_not_create_event_triggers_is_told_why_and_leaves_nothing(
    each_database: Dsn, setup: Connection
) -> None:
    setup.execute("drop role if exists poor; create role poor login password 'poor'")
    setup.execute(f"grant create on database {each_database.database} to poor".encode())
    with closing(connect(replace(each_database, user="poor", password="poor"))) as poor:
        installed = watchers.install(poor)
        assert "permission denied" in installed.refused
        assert installed.max_oid >= oid(setup, "orders")
        assert poor.execute("select to_regnamespace(%s)", (watchers.SCHEMA,)).fetchone() == (None,)


def test_the_time_grows_with_the_number_of_statements_only(each_database: Dsn, setup: Connection) -> None:
    """Locks pile up in a transaction; what is told per statement must not. Prints what the watchers cost."""

    def seconds(statements: int) -> float:
        with closing(connect(each_database)) as connection:
            connection.execute("begin")
            began = time.perf_counter()
            for number in range(statements // 6):
                connection.execute(f"create table t{number} (id int primary key, a text)".encode())
                connection.execute(f"create index on t{number} (a)".encode())
                for column in "bcde":
                    connection.execute(f"alter table t{number} add {column} int".encode())
            taken = time.perf_counter() - began
            connection.execute("rollback")
            return taken

    seconds(300)
    bare = seconds(6000)
    with watching(each_database, setup) as (_, installed), Sampler(each_database, installed.max_oid) as sampler:
        assert sampler.wait(10)
        few, many = seconds(1500), seconds(6000)
    print(f"6000 statements: {many:.2f} s watched, {bare:.2f} s without: {many / bare:.2f} times")
    assert many < 10 * few  # 16 times as long if it were quadratic
