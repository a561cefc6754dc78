"""Preparing many queries, and the shortest INSERTs, on each Postgres of this machine."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise
from typing import Any, cast

import pytest

from neon_hooks.database.connect import Connection, connect
from neon_hooks.database.inserts import inserts, tried, was_taken
from neon_hooks.database.pipelined import AT_ONCE, Disconnected, answers, execute, prepare
from neon_hooks.database.tables import catalogue
from neon_hooks.dsn import Dsn
from tests.fix_systems import query

TABLES = """
create type mood as enum ('calm', 'cross');
create domain positive as int check (value > 0);
create domain filled as text not null;
create table plain (id bigint generated always as identity primary key, name text not null, note text);
create table empty (name varchar(9) not null, n numeric(4, 2) not null, at timestamptz not null, tags text[] not null,
    feeling mood not null, body jsonb not null, code uuid not null, ok bool not null default true);
create table defaults (a int default 1, b int generated always as (1) stored);
create table keyed (code text primary key, other bigint not null references plain);
create table measured (at date not null, value int not null) partition by range (at);
create table measured_1 partition of measured for values from ('2020-01-01') to ('2021-01-01');
create table measured_empty (at date not null) partition by range (at);
create table filled_in (id int not null, tenant text not null);
create function fill_in() returns trigger language plpgsql as 'begin new.tenant = ''t''; return new; end';
create trigger fill_in before insert on filled_in for each row execute function fill_in();
create table refuses (id int not null check (id <> 0));
create table domains (a positive not null);
create table demanding (a filled, b int);
create table slow (id int not null);
create function doze() returns trigger language plpgsql as 'begin perform pg_sleep(30); return new; end';
create table tool_records (id text not null);
create view looked_at as select name from plain;
insert into plain (name) values ('Jane');
insert into keyed values ('a', 1);
insert into measured values ('2020-05-05', 1);
insert into filled_in values (1);
insert into slow values (1);
create trigger doze before insert on slow for each row execute function doze();
"""


def test_the_shortest_insert_of_each_table_is_tried_and_leaves_nothing(each_database: Dsn) -> None:
    query(each_database, TABLES)
    with closing(connect(each_database)) as connection:
        before = catalogue(connection)
        made = inserts(connection, before, {"tool_records"})
        known = {before.tables[oid].name.removeprefix("public."): sql for oid, sql in made.statements.items()}
        assert set(known) == set(
            "plain empty defaults keyed measured measured_empty filled_in refuses domains demanding slow".split()
        )
        assert known["plain"] == 'insert into public.plain ("name") select "name" from only public.plain limit 1'
        assert known["defaults"] == "insert into public.defaults default values"
        assert known["domains"] == ""  # no value of a domain can be made up
        done = dict(zip(known, tried(connection, [sql or "select 1/0" for sql in known.values()]), strict=True))
        taken = {name for name, answer in done.items() if was_taken(answer)}
        assert taken == {"plain", "empty", "defaults", "keyed", "measured", "filled_in"}
        states = {name: answer.error.sqlstate for name, answer in done.items() if answer.error}
        assert states["keyed"] == "23505" and states["refuses"] == "23514" and states["slow"] == "57014"
        assert states["measured_empty"] == "23514" and states["demanding"] == "23502"
        assert {oid: table.rows for oid, table in catalogue(connection).tables.items()} == {
            oid: table.rows for oid, table in before.tables.items()
        }


def test_a_column_that_a_trigger_fills_in_is_not_demanded(each_database: Dsn) -> None:
    query(each_database, "create table t (id int not null); insert into t values (1)")
    with closing(connect(each_database)) as connection:
        (statement,) = inserts(connection, catalogue(connection), ()).statements.values()
        query(
            each_database,
            "alter table t add column tenant text; update t set tenant = 'x'; alter table t alter column tenant set not null",
        )
        (refused,) = tried(connection, [statement])
        assert refused.error and (refused.error.sqlstate, refused.column, refused.error.detail) == ("23502", "tenant", "")
        body = "'begin new.tenant = ''t''; return new; end'"
        query(each_database, f"create function fill_in() returns trigger language plpgsql as {body}")
        query(each_database, "create trigger fill_in before insert on t for each row execute function fill_in()")
        assert [was_taken(answer) for answer in tried(connection, [statement])] == [True]


def test_a_row_that_is_gone_proves_nothing(each_database: Dsn) -> None:
    query(each_database, "create table t (id int not null); insert into t values (1)")
    with closing(connect(each_database)) as connection:
        statements = list(inserts(connection, catalogue(connection), ()).statements.values())
        query(each_database, "delete from t")
        assert [(answer.error, was_taken(answer)) for answer in tried(connection, statements)] == [(None, False)]


def test_triggers_that_take_their_time_are_not_waited_for(each_database: Dsn) -> None:
    body = "'begin perform pg_sleep(0.02); return new; end'"
    query(each_database, f"create function doze() returns trigger language plpgsql as {body}; create table t (id int)")
    query(each_database, "create trigger doze before insert on t for each row execute function doze()")
    with closing(connect(each_database)) as connection:
        done = tried(connection, ["insert into t values (1)"] * 120, seconds=0.5)
    assert [was_taken(answer) for answer in done] == [True] * 50 + [False] * 70


class Watched:
    """libpq's connection, and the order of what is asked of it."""

    def __init__(self, connection: Connection) -> None:
        self.pgconn, self._real, self.calls = self, connection.pgconn, list[str]()

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self._real, name)

    @property
    def waits(self) -> int:
        """How often all that was sent is waited for."""
        order = [call for call in self.calls if call in ("pipeline_sync", "get_result")]
        return sum(pair == ("pipeline_sync", "get_result") for pair in pairwise(order))


def test_thousands_of_queries_each_have_their_own_answer(each_database: Dsn) -> None:
    query(each_database, "create table t (a int, b text)")
    texts = [f"select a, '{'x' * (n % 400)}' from t where {'b' if n % 3 else 'c'} = $1" for n in range(3_000)]
    with closing(connect(each_database)) as connection:
        watched = Watched(connection)
        found = answers(cast(Connection, watched), [prepare(text) for text in texts])
        assert [answer.error is None for answer in found] == [bool(n % 3) for n in range(3_000)]
        error = found[0].error
        assert error and (error.sqlstate, texts[0][error.position - 1]) == ("42703", "c")
        assert watched.waits == 3_000 / AT_ONCE
        assert connection.execute("select 1").fetchone() == (1,)  # still usable
        assert connection.execute("select count(*) from pg_prepared_statements").fetchone() == (0,)


def test_a_lost_connection_is_said(database: Dsn) -> None:
    with closing(connect(database)) as connection:
        query(database, f"select pg_terminate_backend({connection.info.backend_pid})")
        with pytest.raises(Disconnected):
            answers(connection, [(execute("select 1"),)] * 3)
