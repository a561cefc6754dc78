"""What a statement would take away: read from its text, counted in the session that will run it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from neon_hooks.database import counting
from neon_hooks.database.connect import Connection, connect
from neon_hooks.database.counting import Counted, Target, count_sql, parse_counts, would_lose
from neon_hooks.dsn import Dsn
from tests.fix_database import HOSTILE


@pytest.mark.parametrize(
    ("sql", "targets"),
    [
        ("drop table t", ["t||drop table"]),
        ('DROP TABLE IF EXISTS a, "B c".d , x.y.z CASCADE', ["a||drop table", "B c.d||drop table", "y.z||drop table"]),
        ("/* a */ drop -- b\n table t; drop table u", ["t||drop table", "u||drop table"]),
        ("drop schema s, u cascade", ["s.||drop schema", "u.||drop schema"]),
        ("truncate t", ["t||truncate"]),
        ("truncate table only a *, s.b restart identity cascade", ["a||truncate", "s.b||truncate"]),
        ("alter table t drop c", ["t|c|drop column"]),
        ('alter table if exists only s.t * drop column if exists "X""y" cascade', ['s.t|X"y|drop column']),
        (
            "alter table t add d numeric(3, 1), drop a, add check (x in (1, 2)), drop b restrict",
            ["t|a|drop column", "t|b|drop column"],
        ),
        ("alter table t alter c type int using c::int", ["t|c|change type"]),
        ("alter table t alter column c set data type numeric(9, 2), drop d", ["t|c|change type", "t|d|drop column"]),
        ("alter table T drop ÄB", ["t|Äb|drop column"]),
        ('alter table t drop "constraint"', ["t|constraint|drop column"]),
        ("alter table t drop constraint c, drop constraint if exists d", []),
        ("alter table t alter c set not null, alter c drop default, alter constraint f deferrable", []),
        ("alter table t rename to u; alter table t rename c to d; alter table t set schema s", []),
        ("select 'drop table t'; do $$ drop table t $$; comment on table t is $a$ ; drop table t $a$", []),
        ("drop index i; drop view v; drop type x cascade; create table drop_table (a int)", []),
        ("drop table; alter table; truncate; drop table a.; drop table 'x'; alter table t drop", []),
        ('drop table U&"\\0061"; drop table', []),
        ("copy t from stdin;\ndrop table t\n\\.\n", []),
        ("drop table t; drop table t", ["t||drop table"]),
        ("drop table " + "x" * 70, ["x" * 63 + "||drop table"]),
    ],
)
def test_what_a_statement_takes_away_is_read_from_its_tokens(sql: str, targets: list[str]) -> None:
    found = [f"{t.schema + '.' if t.schema else ''}{t.relation}|{t.column}|{t.kind}" for t in would_lose(sql)]
    assert found == targets


@pytest.fixture
def session(each_database: Dsn) -> Iterator[Connection]:
    with closing(connect(each_database)) as connection:
        connection.execute(
            'create schema "S s"; create table t (a int, "b\'\\ B" text, c text);'
            " insert into t select g, case when g % 3 = 0 then 'x' end from generate_series(1, 1000) g;"
            ' create table "S s"."T" as select * from t; create table "S s".u as select 1 as a;'
            " create table p (a int) partition by range (a); create view v as select 1 as a;"
            " create table p1 partition of p for values from (0) to (10); insert into p values (1), (2)"
        )
        yield connection


def counted(connection: Connection, sql: str) -> set[Counted]:
    row = connection.execute(count_sql(would_lose(sql)).encode()).fetchone()
    assert row
    return set(parse_counts(row[0]))


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("drop table t, nope, v, s.nope", [("public.t", "", 1000)]),
        ("drop table p", [("public.p", "", 2)]),
        ('drop schema "S s"', [('"S s"."T"', "", 1000), ('"S s".u', "", 1)]),
        ('truncate "S s"."T"', [('"S s"."T"', "", 1000)]),
        (
            'alter table t drop "b\'\\ B", drop nope, alter c type int, drop a',
            [("public.t", "a", 1000), ("public.t", "b'\\ B", 333), ("public.t", "c", 0)],
        ),
        ("drop table nope", []),
        ("select 1", []),
        ("drop table pg_catalog.pg_class_nope", []),
    ],
)
def test_rows_and_values_are_counted(session: Connection, sql: str, values: list[tuple[str, str, int]]) -> None:
    for settings in ("set search_path = public", "set standard_conforming_strings = off"):
        session.execute(settings.encode())
        assert sorted((c.relation, c.column, c.values) for c in counted(session, sql)) == values


def test_names_are_looked_for_as_the_statement_will(session: Connection) -> None:
    session.execute('set search_path = "S s"')
    assert [c.relation for c in counted(session, "drop table t, u")] == ['"S s".u']
    session.execute("set search_path = ''")
    assert counted(session, "drop table t") == set()


def test_nothing_in_a_session_makes_it_fail(session: Connection) -> None:
    session.execute(HOSTILE.encode())
    session.execute("begin read only")
    assert {c.values for c in counted(session, "drop table public.t")} == {1000}
    session.execute("rollback")
    session.execute("create table \"a'b%s\" as select 1 as \"%I\"")
    assert {c.values for c in counted(session, 'alter table "a\'b%s" drop "%I"')} == {1}


def test_what_cannot_be_counted_is_estimated(session: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    column = 'alter table t drop "b\'\\ B"'
    monkeypatch.setattr(counting, "MOST_BYTES", 1000)
    assert {(c.values, c.estimate) for c in counted(session, column)} == {(None, None)}
    session.execute("analyze t")
    assert {(c.values, c.estimate) for c in counted(session, column)} == {(None, 333)}
    monkeypatch.undo()
    assert {(c.values, c.estimate) for c in counted(session, column)} == {(333, 333)}
    session.execute("set statement_timeout = '5ms'; alter table t set (fillfactor = 50)")
    assert {c.values for c in counted(session, column)} == {None}


def test_what_a_role_may_not_read_is_not_counted(session: Connection) -> None:
    session.execute("create table r as select 1 as a; grant select on r to pg_monitor; alter table r enable row level security")
    session.execute("set role pg_monitor")
    for sql in ("drop table t", "drop table r", 'drop schema "S s"'):
        assert {c.values for c in counted(session, sql)} == {None}


def test_it_does_not_wait_for_a_lock(session: Connection, each_database: Dsn) -> None:
    with closing(connect(each_database)) as other:
        other.execute("begin; lock table t")
        session.execute("set lock_timeout = '1s'")
        assert {c.values for c in counted(session, "drop table t")} == {None}
        other.execute("rollback")


def test_a_list_without_end_is_cut_short(session: Connection) -> None:
    targets = [Target("", f"t{number}", "", "drop table") for number in range(5000)]
    assert len(count_sql(targets)) < 20_000
    assert parse_counts("nonsense") == () == parse_counts("[1]")
