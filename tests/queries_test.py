"""Queries as texts: found in files, with other placeholders, without literals."""

from __future__ import annotations

import pytest

from neon_hooks.errors import UsageError
from neon_hooks.queries import (
    PRODUCTION, Known, Query, distinct, is_about_the_server, known, name_at, translated, with_type,
    without_literals,
)  # fmt: skip
from neon_hooks.tree import Tree

TRANSLATED = {
    "select a from t where a = $1": "select a from t where a = $1",
    "select a::text, b[1:n] from t where x = :name and y=:name and z =:o": "select a::text, b[1:n] from t where x = $1 and y=$1 and z =$2",
    "select a from t where a = %s and b % %(id)s = %s": "select a from t where a = $1 and b % $2 = $3",
    "select a %% 2 from t where a = %s": "select a % 2 from t where a = $1",
    "select a %% 2 from t": "select a %% 2 from t",
    "select ? from t where a = $4 limit ?": "select $5 from t where a = $4 limit $6",
    "select a from t where id = @id and sqlc.arg(b) = c and sqlc.narg('b') = d": "select a from t where id = $1 and $2 = c and $2 = d",
    "select sqlc.embed(t), a from t where id in (sqlc.slice('ids'))": "select t.*, a from t where id in ($1)",
    "select now() - interval $1, date $2": "select now() - CAST($1 AS interval), CAST($2 AS date)",
    "select ':a', \":b\", $$ :c $$ -- :d\n /* ? */ from t": "select ':a', \":b\", $$ :c $$ -- :d\n /* ? */ from t",
}
WITHOUT_LITERALS = {
    "select 'O''Brien', E'a\\'b', $$x$$, 3.5 -- Jane": "select $1, $2, $3, $4",
    "select a /* Jane */ from \"T1\" where b = $1 and c = 4711": 'select a from "T1" where b = $1 and c = $2',
    "select a from t group by 1, 2 order by 1, a desc limit 10": "select a from t group by 1, 2 order by 1, a desc limit $1",
    "select 'x'::varchar(20), cast(n as numeric(10, 2)), f(3)": "select $1::varchar(20), cast(n as numeric(10, 2)), f($2)",
    "select f('day', a) from t where b = 2 group by f('day', a)": "select f($1, a) from t where b = $2 group by f($1, a)",
    "insert into t values (4, 'Jane'), (2, 'Joe')": "insert into t values ($1, $2), ($3, $4)",
    "select a + 1, 10, -0, 0.1, 100 from t1": "select a + 1, $1, -0, $2, $3 from t1",
}  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), TRANSLATED.items(), ids=TRANSLATED)
def test_placeholders_become_those_of_postgres(sql: str, expected: str) -> None:
    assert translated(sql) == expected


@pytest.mark.parametrize(("sql", "expected"), WITHOUT_LITERALS.items(), ids=WITHOUT_LITERALS)
def test_literals_become_parameters_where_there_can_be_one(sql: str, expected: str) -> None:
    assert without_literals(sql) == expected


def test_lists_of_another_length_and_other_numbers_are_no_other_query() -> None:
    lists = ["select a in ($1, 1)", "select a in ($1)", "select a in (0)", "select b in ($1,$2,$3)", "insert into t values ($1, $2), ($3, $4)", "insert into t values (1)"]
    assert distinct(lists) == ["insert into t values (1)", "select a in (0)", "select b in ($1,$2,$3)"]


def test_what_stands_where_postgres_stopped() -> None:
    sql = 'select u.name, "U"."a""b" from t where x = \'sh\'\'ip\' and y = 5'
    assert [name_at(sql, sql.index(part) + 1) for part in ("u.name", '"U"', "'sh", "= 5", "5")] == ["u.name", 'U.a"b', "sh'ip", "", ""]
    assert name_at(sql, 0) == name_at(sql, 999) == ""


def test_a_parameter_gets_a_type_where_it_has_none() -> None:
    sql = "select $1, $10, $1::int, f($1)"
    typed = with_type(sql, "could not determine data type of parameter $1")
    assert typed == "select $1::text, $10, $1::int, f($1::text)"
    assert with_type(typed, "parameter $1") == typed and with_type(sql, "no parameter") == sql


def test_what_asks_about_the_server_is_not_the_applications() -> None:
    asking = ("select version()", "select a from pg_catalog.pg_class", "select * from PG_TYPE", "select table_name from information_schema.tables")
    assert all(map(is_about_the_server, asking)) and not is_about_the_server("select versions from packages")


def test_files_and_folders_at_the_target_and_what_only_the_main_line_has() -> None:
    base = Tree.of({"db/q.sql": "select 1;\nselect old;\n"})
    target = Tree.of({"db/q.sql": "-- new\nselect new;\n\nselect 1;\nset a = 1;\n\\echo\n(select 2);\n", "db/more/a.sql": "with x as (select 3) select 1;", "db/a.txt": "select 4"})
    found = known(("db/q.sql", "db"), target, base)
    assert [(q.sql, q.source, q.line, q.at_base) for q in found.queries] == [
        ("select new", "db/q.sql", 2, False),
        ("select 1", "db/q.sql", 4, False),
        ("(select 2)", "db/q.sql", 7, False),
        ("select old", "db/q.sql", 2, True),
        ("with x as (select 3) select 1", "db/more/a.sql", 1, False),
    ]
    assert known(("db/q.sql",), target, None).skipped == 2
    assert [q.at_base for q in known(("db/q.sql",), Tree.of({}), base).queries] == [True, True]
    with pytest.raises(UsageError, match=r"\[trials\] queries: there is no SQL file 'db/x.sql'"):
        known(("db/x.sql",), target, base)


def test_of_two_with_the_same_text_the_first_one_stays() -> None:
    both = Known((Query("a", "f", 1), Query("b", "f", 2)), 1).with_more([Query("b", PRODUCTION), Query("c", PRODUCTION)], 2)
    assert [(q.sql, q.source) for q in both.queries] == [("a", "f"), ("b", "f"), ("c", PRODUCTION)] and both.skipped == 3
