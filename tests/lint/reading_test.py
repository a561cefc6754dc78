"""Texts read statement by statement: lines, new tables, and what squawk cannot read."""

from __future__ import annotations

import pytest

from neon_hooks.checks.lints import OFF
from neon_hooks.lint.names import changed, created
from neon_hooks.lint.reading import Hit, Source, read, tables_created
from neon_hooks.lint.squawk import Options
from tests.growth import growth

QUIET = Options(excluded=tuple(OFF))
INDEX = "require-concurrent-index-creation"


def hits(text: str, *, in_transaction: bool = True, new: frozenset[str] = frozenset()) -> list[Hit]:
    (found,) = read([Source(text, in_transaction, new)], QUIET)
    return list(found)


def places(text: str, **options: bool) -> list[tuple[str, int]]:
    return [(hit.rule, hit.line) for hit in hits(text, **options)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_count_from_one_whatever_ends_them(end: str) -> None:
    text = end.join(["-- größe 😀", "select 1;", "", "/* ü */ create index i on t(x);", "create index j", "  on t(y);"])
    assert places(text) == [(INDEX, 4), (INDEX, 5)]
    assert [(hit.statement.line, hit.statement.last) for hit in hits(text)] == [(4, 4), (5, 6)]


def test_a_byte_order_mark_moves_nothing() -> None:
    assert places("\ufeffcreate index i on t(x);") == [(INDEX, 1)]


@pytest.mark.parametrize("text", ["", "\n", "-- nothing", "/* nothing */", ";", "\ufeff"])
def test_nothing_is_said_of_nothing(text: str) -> None:
    assert hits(text) == []


def test_a_statement_that_cannot_be_read_does_not_hide_the_others() -> None:
    text = "selec 1;\ncreate index i on t(x);\nselect );\ncreate index j on t(x);\nselect 1 from;"
    assert places(text) == [("syntax-error", 1), (INDEX, 2), ("syntax-error", 3), (INDEX, 4), ("syntax-error", 5)]


@pytest.mark.parametrize(
    "unreadable", ["select :x;", "create table ${schema}.t (a int);", "select %s, %(b)s;", "insert into t values ({{x}});"]
)
def test_what_a_tool_fills_in_is_no_error(unreadable: str) -> None:
    assert places(f"{unreadable}\ncreate index i on t(x);") == [(INDEX, 2)]


def test_psqls_own_commands_and_copy_data_are_passed_over() -> None:
    text = "\\set ON_ERROR_STOP 1\ncopy t from stdin;\n1\tselect (\n\\.\ncreate index i on t(x);\n\\echo done\n"
    assert places(text, in_transaction=False) == [(INDEX, 5)]


def test_an_unterminated_text_is_an_error_and_no_endless_loop() -> None:
    assert [rule for rule, _ in places("create index i on t(x);\nselect 'open")] == [INDEX, "syntax-error"]
    assert places("/* open") == []


def test_a_table_that_was_created_before_is_new() -> None:
    text = 'create table "T"(a text);\nalter table "T" alter a set not null;\nalter table t alter a set not null;'
    assert [(hit.line, hit.new_table) for hit in hits(text)] == [(2, True), (3, False)]
    assert tables_created(Source(text, True, frozenset({"x"}))) == {"x", "T"}
    (later,) = hits("create index i on public.t(a);", new=frozenset({"t"}), in_transaction=False)
    assert later.new_table


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("ALTER TABLE IF EXISTS ONLY public.Orders ADD x int", "orders"),
        ('ALTER TABLE "Sales"."Orders" ADD x int', "Sales.Orders"),
        ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY shop.t (a)", "shop.t"),
        ("CREATE INDEX ON t (a)", "t"),
        ("DROP TABLE IF EXISTS t CASCADE", "t"),
        ("select 1", ""),
    ],
)
def test_the_table_that_a_statement_is_about(statement: str, name: str) -> None:
    assert changed(statement) == name


def test_only_what_certainly_creates_a_table_does() -> None:
    assert created("CREATE UNLOGGED TABLE a.b (x int)") == {"a.b"}
    assert created("CREATE TABLE IF NOT EXISTS t (x int)") == frozenset()
    assert created("CREATE MATERIALIZED VIEW m AS select 1") == {"m"}


def test_thousands_of_statements_take_no_more_than_linear_time() -> None:
    def work(number: int) -> None:
        assert len(hits("create index i on t(x);\n" * number)) == number

    assert growth(work, 2_000, 16_000) < 30  # quadratic would be 64
