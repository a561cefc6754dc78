"""Where statements end. psql itself is the oracle for what they do: see execute_test.py."""

from __future__ import annotations

import pytest

from neon_hooks.sqlscript import Part, split
from tests.growth import growth

BODY = "create function f() returns int begin atomic select case when true then 1 end; select 2; end"


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", []),
        (";;  ; -- nothing\n/* ; */", []),
        ("select 1; select 2", ["select 1", "select 2"]),
        ("select ';', \";\", e'\\';', 'it''s;';x", ["select ';', \";\", e'\\';', 'it''s;'", "x"]),
        ("select $$;$$, $a$ $$;$b$; $a$; x", ["select $$;$$, $a$ $$;$b$; $a$", "x"]),
        ("select a$b$ from t; x", ["select a$b$ from t", "x"]),
        ("select $1; x", ["select $1", "x"]),
        ("/* /* ; */ ; */ select 1; x", ["select 1", "x"]),
        ("select 1 -- ;'\n + 1; x", ["select 1 -- ;'\n + 1", "x"]),
        ("create rule r as on insert to t do (select 1; select 2); x", 2),
        (f"{BODY}; x", [BODY, "x"]),
        (BODY.replace("function", "or replace procedure") + "; x", 2),
        ("begin; select 1; end; x", ["begin", "select 1", "end", "x"]),
        ("create table begin_atomic(x int); create function g() returns int as $$ begin; $$; x", 3),
        ("select 'never closed; x", ["select 'never closed; x"]),
        ("do $$ never closed; x", ["do $$ never closed; x"]),
        ("\ufeffselect 1", ["select 1"]),
        ("select a[1;]; x", 2),
        ("select 'größe' as \"Größe\"; größe", ["select 'größe' as \"Größe\"", "größe"]),
    ],
)
def test_a_statement_ends_where_psql_ends_it(text: str, statements: list[str] | int) -> None:
    found = [part.text for part in split(text)]
    assert found == statements if isinstance(statements, list) else len(found) == statements


def test_a_line_is_where_the_first_word_stands() -> None:
    text = "-- one\n\nselect 1;\n/* two\n*/ select\n2; select 3;\n\\echo hi\n  select 4"
    assert [(part.line, part.text) for part in split(text)] == [
        (3, "select 1"),
        (5, "select\n2"),
        (6, "select 3"),
        (7, "\\echo hi"),
        (8, "select 4"),
    ]


def test_copy_takes_its_data_with_it() -> None:
    text = "copy t from stdin;\n1\t;\n\\.x\n\\.\nselect 1; COPY public.u (a)\n FROM STDIN with csv;\na;b\n"
    assert list(split(text)) == [
        Part("sql", "copy t from stdin", 1, "1\t;\n\\.x\n"),
        Part("sql", "select 1", 5),
        Part("sql", "COPY public.u (a)\n FROM STDIN with csv", 5, "a;b\n"),
    ]


@pytest.mark.parametrize("text", ["copy t to stdout; select 1", "copy t from '/tmp/stdin'; select 1", "select 'copy t from stdin'; x"])
def test_other_copies_have_no_data(text: str) -> None:
    assert [part.copy_data for part in split(text)] == [None, None]


def test_the_time_grows_with_the_length_only() -> None:
    def work(statements: int) -> None:
        text = "insert into t values (1, 'a;b', $x$c;d$x$); -- e\n" * statements + "'" + "x" * statements
        assert sum(1 for _ in split(text)) == statements + 1

    assert growth(work, 2_000, 20_000) < 40  # quadratic would be 100
