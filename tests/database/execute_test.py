"""Files run as psql runs them. psql, which comes with the embedded Postgres, is the oracle."""

from __future__ import annotations

import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from neon_hooks.database.connect import connect
from neon_hooks.database.execute import FileRun, run_files
from neon_hooks.database.inspect import schema_lines
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import binaries

ROUTINES = """
create function one() returns int language sql begin atomic select 1; select case when true then 2 else 3 end; end;
create or replace procedure p() language plpgsql as $body$ begin perform 1; perform ';'; end; $body$; do $$ begin null; end $$;
"""
SCRIPTS = {
    "simple": "create table a (x int); insert into a values (1), (2); create table b (y int)",
    "routines": ROUTINES,
    "quotes": "create table \"we;ird\" (x text default ';', y text default e'\\';', z text default $q$;$q$);",
    "comments": "-- a; b\n/* x /* y; */ z; */ create table a (x int); -- end;",
    "transaction": "begin; create table a (x int); commit; begin; create table b (x int); rollback;",
    "unfinished transaction": "create table a (x int); begin; create table b (x int);",
    "stops at the first error": "create table a (x int); select 1/0; create table b (x int);",
    "error in a transaction": "begin; create table a (x int); select 1/0; commit; create table b (x int);",
    "copy": "create table a (x int, y text);\ncopy a from stdin;\n1\tone;\n2\t\\N\n\\.\ncreate table b (x int);\n",
    "csv": 'create table a (x int, y text);\ncopy a (y, x) from stdin with (format csv);\n"a;b",1\n\\.\n',
    "bad copy": "create table a (x int);\ncopy a from stdin;\nno number\n\\.\ncreate table b (x int);\n",
    "harmless psql commands": "\\echo hello\n\\set ON_ERROR_STOP on\n\\timing off\ncreate table a (x int);",
    "concurrently": "create table a (x int); create index concurrently i on a (x);",
    "settings last a session": "create schema s; set search_path to s; create table a (x int);",
    "rule with parentheses": "create table a (x int); create rule r as on insert to a do also (select 1; select 2);",
}
CONTENTS = "select coalesce(string_agg(t::text, ',' order by t::text), '') from {} t"


def ours(database: Dsn, text: str, *, single_transaction: bool = False) -> FileRun:
    (run,) = run_files(database, [("file.sql", text)], read=no_file, single_transaction=single_transaction)
    return run


def no_file(name: str, including: str) -> str:
    raise FileNotFoundError(2, "no such file")


def psql(database: Dsn, text: str, *options: str) -> int:
    program = binaries.find().program("psql")
    argv = (program, "-X", "-q", "-v", "ON_ERROR_STOP=1", *options, "-f", "-", database.uri())
    done = subprocess.run(argv, input=text, text=True, capture_output=True, timeout=60)
    return done.returncode


def state(database: Dsn) -> tuple[tuple[str, ...], dict[str, str]]:
    """Schema and contents."""
    with closing(connect(database)) as connection:
        tables = connection.execute(
            "select oid::regclass::text from pg_class where relkind = 'r' and relnamespace >= 2200"
        ).fetchall()
        rows = {}
        for (table,) in tables:
            (rows[table],) = connection.execute(CONTENTS.format(table).encode()).fetchone() or ("",)
        return schema_lines(connection), rows


@pytest.fixture
def twin(database: Dsn, postgres_server: Dsn) -> Dsn:
    made = replace(database, database=f"{database.database}_psql")
    with closing(connect(postgres_server)) as connection:
        connection.execute(f"create database {made.database}".encode())
    return made


@pytest.mark.parametrize("single_transaction", [False, True], ids=["plain", "single transaction"])
@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_the_result_is_the_one_that_psql_leaves(
    database: Dsn, twin: Dsn, text: str, single_transaction: bool
) -> None:
    run = ours(database, text, single_transaction=single_transaction)
    code = psql(twin, text, *(["-1"] if single_transaction else []))
    assert state(database) == state(twin)
    if "unfinished" not in text and text != SCRIPTS["unfinished transaction"]:
        assert bool(run.error) == bool(code)


def test_a_transaction_that_is_left_open_is_an_error_because_psql_rolls_it_back(database: Dsn) -> None:
    run = ours(database, SCRIPTS["unfinished transaction"] + "\n")
    assert run.error and "COMMIT is missing" in run.error.message
    assert run.statements[-1].line == 2


def test_an_error_has_postgres_words_and_the_line_of_its_position(database: Dsn) -> None:
    run = ours(database, "-- note\ncreate table a (\n  x int,\n  y nonsense\n);")
    assert run.error
    assert run.error.sqlstate == "42704"
    assert run.error.message == 'type "nonsense" does not exist'
    assert run.statements[-1].line == 4


def test_detail_and_hint_are_kept(database: Dsn) -> None:
    run = ours(database, "create table a (x int primary key); insert into a values (1), (1);")
    assert run.error and run.error.detail == "Key (x)=(1) already exists."
    run = ours(database, "select lenght('x');")
    assert run.error and "No function matches" in run.error.hint + run.error.message + run.error.detail


def test_statements_have_rows_times_and_transactions(database: Dsn) -> None:
    text = "create table a (x int); begin; insert into a values (1), (2); update a set x = 3; commit; select 1;"
    run = ours(database, text)
    assert [s.rows for s in run.statements] == [None, None, 2, 2, None, 1]
    assert [s.transaction for s in run.statements] == [1, 2, 2, 2, 2, 3]
    assert all(s.ms > 0 for s in run.statements)
    assert [s.started_ms for s in run.statements] == sorted(s.started_ms for s in run.statements)


@pytest.mark.parametrize("command", ["\\connect other", "\\! rm -rf x", "\\copy a from x", "\\gexec", "\\if true"])
def test_a_psql_command_that_would_leave_the_database_or_hide_statements_is_refused(
    database: Dsn, command: str
) -> None:
    run = ours(database, f"select 1;\n{command}\nselect 2;")
    assert run.error and command.split()[0] in run.error.message
    assert (len(run.statements), run.statements[-1].line) == (2, 2)


def test_included_files_are_run_in_place(database: Dsn, tmp_path: Path) -> None:
    (tmp_path / "tables.sql").write_text("create table a (x int);\n\\ir more.sql\n")
    (tmp_path / "more.sql").write_text("create table b (x int);")

    def read(name: str, including: str) -> str:
        return (tmp_path / name).read_text()

    (run,) = run_files(
        database, [("m.sql", "\\i tables.sql\ninsert into b values (1);")], read=read, single_transaction=False
    )
    assert run.error is None and len(run.statements) == 3


def test_a_file_that_includes_itself_comes_to_an_end(database: Dsn) -> None:
    (run,) = run_files(
        database, [("m.sql", "\\i m.sql")], read=lambda name, _: "\\i m.sql", single_transaction=False
    )
    assert run.error
