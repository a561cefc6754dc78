"""The catalogue as facts: every field, on every version of Postgres here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from neon_hooks.database import watchers
from neon_hooks.database.connect import Connection, connect
from neon_hooks.database.tables import catalogue
from neon_hooks.dsn import Dsn
from neon_hooks.facts import Column, Table


@pytest.fixture
def session(each_database: Dsn) -> Iterator[Connection]:
    with closing(connect(each_database)) as connection:
        yield connection


def named(connection: Connection, name: str) -> Table:
    found = catalogue(connection).named(name)
    assert found
    return found


def test_columns_with_their_numbers_types_and_shares_of_nulls(session: Connection) -> None:
    session.execute(
        "create table t (gone int, a varchar(9) not null default 'x', b bigint generated always as identity, c int);"
        " alter table t drop gone; insert into t (c) select nullif(g % 4, 0) from generate_series(1, 100) g"
    )
    columns = (
        Column(2, "a", "character varying(9)", True, "'x'::character varying"),
        Column(3, "b", "bigint", True, "identity"),
        Column(4, "c", "integer", False),
    )
    assert named(session, "public.t").columns == columns
    session.execute("analyze t")
    assert [column.null_fraction for column in named(session, "public.t").columns] == [0, 0, 0.25]


def test_indexes(session: Connection) -> None:
    session.execute(
        "create table t (a int primary key, b text, c int); create unique index u on t (b, lower(b)) include (c);"
        " create index p on t (c) where c > 1; insert into t values (1, 'x', 5), (2, 'y', 5)"
    )
    with pytest.raises(Exception, match="could not create unique index"):
        session.execute("create unique index concurrently broken on t (c)")
    indexes = named(session, "public.t").indexes
    shown = [(i.name, i.valid, i.unique, i.primary, i.columns, i.partial) for i in indexes]
    assert shown == [
        ("public.t_pkey", True, True, True, (1,), False),
        ("public.u", True, True, False, (2, 0), False),
        ("public.p", True, False, False, (3,), True),
        ("public.broken", False, True, False, (3,), False),
    ]


def test_constraints(session: Connection) -> None:
    session.execute(
        "create table other (id int primary key);"
        " create table t (a int, b int references other, constraint pos check (a > 0) not valid, unique (a, b))"
    )
    session.execute("alter table t drop constraint pos; alter table t add constraint pos check (a > 0) not valid")
    found = {c.name: (c.kind, c.validated, c.columns, c.references) for c in named(session, "public.t").constraints}
    assert found == {
        "pos": ("c", False, (1,), ""),
        "t_a_b_key": ("u", True, (1, 2), ""),
        "t_b_fkey": ("f", True, (2,), "public.other"),
    }


def test_not_null_is_a_constraint_since_18(session: Connection) -> None:
    since_18 = session.info.server_version >= 180000
    session.execute("create table t (a int, b int not null)")
    if since_18:
        session.execute("alter table t add constraint n not null a not valid")
    table = named(session, "public.t")
    assert [column.not_null for column in table.columns] == [since_18, True]
    found = sorted((c.kind, c.validated, c.columns) for c in table.constraints)
    assert found == ([("n", False, (1,)), ("n", True, (2,))] if since_18 else [])


def test_rows_are_counted_where_that_is_cheap_and_estimated_elsewhere(session: Connection) -> None:
    session.execute(
        "create table small as select generate_series(1, 123) as a;"
        " create table large as select g as a, repeat('x', 90) as b from generate_series(1, 20000) g;"
        " create table parent (a int) partition by range (a);"
        " create table child partition of parent for values from (0) to (100);"
        " create table grandparent (a int) partition by range (a);"
        " insert into parent select generate_series(1, 50);"
        " create view v as select 1 as a; create materialized view m as select * from small;"
        " create materialized view empty as select 1 as a with no data"
    )
    tables = {table.name: table for table in catalogue(session).tables.values()}
    rows = {name.removeprefix("public."): table.rows for name, table in tables.items()}
    estimate = rows.pop("large")
    assert rows == {
        "small": 123, "parent": 50, "child": 50, "grandparent": 0, "v": None, "m": 123, "empty": None,
    }  # fmt: skip
    assert estimate is not None and 10_000 < estimate < 80_000  # the planner's guess: nobody ran ANALYZE
    session.execute("analyze large")
    assert named(session, "public.large").rows == 20_000
    assert tables["public.large"].bytes > 20_000 * 90
    assert tables["public.parent"].bytes == tables["public.child"].bytes > 0


def test_what_is_ours_temporary_or_the_systems_is_left_out(session: Connection) -> None:
    watchers.install(session)
    session.execute('create temp table x (a int); create schema app; create table app."Odd one" (a int)')
    session.execute("set search_path = app")
    assert [table.name for table in catalogue(session).tables.values()] == ['app."Odd one"']
    assert session.execute("show search_path").fetchone() == ("app",)


def test_replication_and_triggers(session: Connection) -> None:
    session.execute(
        "create table t (a int); alter table t replica identity full; create publication p for table t;"
        " create function f() returns trigger language plpgsql as 'begin return new; end';"
        " create trigger on_insert before insert on t execute function f(); alter table t disable trigger on_insert;"
        " create trigger on_update before update on t execute function f()"
    )
    table = named(session, "public.t")
    assert (table.published, table.replica_identity, table.disabled_triggers) == (True, "f", ("on_insert",))


def test_a_rewrite_shows_in_the_filenode(session: Connection) -> None:
    session.execute("create table t (a int)")
    before = named(session, "public.t")
    session.execute("alter table t rename to u")
    session.execute("vacuum full u")
    after = catalogue(session).tables[before.oid]
    assert (before.filenode != after.filenode, after.name) == (True, "public.u")


def test_what_a_role_may_not_read_is_left_unknown(session: Connection) -> None:
    session.execute("create table t as select 1 as a; alter table t enable row level security; grant select on t to pg_monitor")
    session.execute("set role pg_monitor")
    assert named(session, "public.t").rows is None


def test_a_hundred_tables_take_as_many_queries_as_one(session: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    execute = session.execute
    monkeypatch.setattr(session, "execute", lambda query: (asked.append(query), execute(query))[1])
    columns = ", ".join(f"c{number} text" for number in range(8))
    counts = []
    for first, last in ((1, 1), (2, 100)):
        body = f"execute 'create table t' || i || ' (id int primary key, {columns}, unique (c1), check (id > 0))'"
        execute(f"do $$begin for i in {first}..{last} loop {body}; end loop; end$$".encode())
        asked.clear()
        assert len(catalogue(session).tables) == last
        counts.append(len(asked))
    assert counts[0] == counts[1] > 0
