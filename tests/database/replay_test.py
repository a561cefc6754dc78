"""SQL migrations run in the place of a tool: transactions, records, lines."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from neon_hooks.database.connect import connect
from neon_hooks.database.replay import replay
from neon_hooks.dsn import Dsn
from neon_hooks.plan import Replayed

SETUP = "CREATE TABLE IF NOT EXISTS done (id text); SELECT 1"


def step(sql: str, id: str = "1", **how: Any) -> Replayed:
    return Replayed(id, f"m/{id}.sql", sql, setup=SETUP, record=f"INSERT INTO done VALUES ('{id}')", **how)


def rows(database: Dsn, query: str) -> list[Any]:
    with closing(connect(database)) as connection:
        return [row[0] for row in connection.execute(query.encode())]


def done(database: Dsn) -> list[str]:
    return rows(database, "SELECT id FROM done ORDER BY id")


WAYS: dict[str, dict[str, bool]] = {"transaction": {"transaction": True}, "implicit": {"implicit": True}, "plain": {}}


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
def test_migrations_are_run_and_recorded_in_order_and_the_record_is_no_statement(
    database: Dsn, how: dict[str, bool]
) -> None:
    runs = replay(database, [step("CREATE TABLE a (x int);", "1", **how), step("ALTER TABLE a ADD y int", "2", **how)])
    assert [(run.path, run.error) for run in runs] == [("m/1.sql", None), ("m/2.sql", None)]
    assert done(database) == ["1", "2"]
    assert not any("done" in statement.sql for run in runs for statement in run.statements)


# What is left of a file whose second statement fails, and whether CONCURRENTLY can be said.
@pytest.mark.parametrize(
    ("how", "left", "concurrently"),
    [(WAYS["transaction"], [], False), (WAYS["implicit"], [], True), (WAYS["plain"], ["a"], True)],
    ids=list(WAYS),
)
def test_transactions_are_those_of_the_tool(
    database: Dsn, how: dict[str, bool], left: list[str], concurrently: bool
) -> None:
    runs = replay(database, [step("CREATE TABLE a (x int);\n\nSELECT 1/0;", "1", **how), step("SELECT 1", "2", **how)])
    assert len(runs) == 1 and runs[0].error and runs[0].error.sqlstate == "22012"
    assert rows(database, "SELECT tablename FROM pg_tables WHERE tablename = 'a'") == left
    assert done(database) == []
    replay(database, [step("CREATE TABLE b (x int)", "3")])
    (run,) = replay(database, [step("CREATE INDEX CONCURRENTLY i ON b (x)", "4", **how)])
    assert (run.error is None) == concurrently


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
def test_lines_are_those_of_the_file_not_of_the_part_that_goes_up(database: Dsn, how: dict[str, bool]) -> None:
    (run,) = replay(database, [step("SELECT 1;\nSELECT\n  nothing_there;", offset=10, **how)])
    assert run.error and run.error.sqlstate == "42703"
    assert run.statements[-1].line == 13


def test_a_record_that_is_refused_is_an_error_of_its_migration(database: Dsn) -> None:
    twice = Replayed("1", "m/1.sql", "CREATE TABLE a (x int)", transaction=True, record="INSERT INTO nowhere VALUES (1)")
    (run,) = replay(database, [twice])
    assert run.error and run.error.sqlstate == "42P01"
    assert rows(database, "SELECT tablename FROM pg_tables WHERE tablename = 'a'") == []


def test_a_bookkeeping_that_cannot_be_made_is_an_error_of_the_first_migration(database: Dsn) -> None:
    broken = Replayed("1", "m/1.sql", "CREATE TABLE a (x int)", setup="CREATE TABLE no.where (x int)")
    (run,) = replay(database, [broken])
    assert run.error and run.error.sqlstate == "3F000"
    assert rows(database, "SELECT tablename FROM pg_tables WHERE tablename = 'a'") == []


def test_a_transaction_that_a_file_leaves_open_is_an_error(database: Dsn) -> None:
    (run,) = replay(database, [step("BEGIN; CREATE TABLE a (x int)")])
    assert run.error and "COMMIT is missing" in run.error.message
    assert done(database) == []


@pytest.mark.parametrize("text", ["", "-- nothing here\n"])
@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
def test_an_empty_file_is_recorded(database: Dsn, text: str, how: dict[str, bool]) -> None:
    (run,) = replay(database, [step(text, **how)])
    assert run.error is None
    assert done(database) == ["1"]


def test_includes_and_other_commands_of_psql_are_refused(database: Dsn) -> None:
    (run,) = replay(database, [step("\\i /etc/passwd")])
    assert run.error and "cannot read /etc/passwd" in run.error.message


def test_nothing_pending_does_nothing(database: Dsn) -> None:
    assert replay(database, []) == []
