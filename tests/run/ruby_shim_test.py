"""The driver shim for Ruby with the real driver: whatever a program asks for, it gets the test database."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.facts import ToolRun
from neon_hooks.plan import Command
from neon_hooks.run import execute, resolve
from tests.fix_systems import Postgres, tables

# {url}, {host}, ...: production's, as a careless program has them in its code.
WAYS = {
    "a URL": """
        require "pg"
        PG.connect("{url}").exec("CREATE TABLE made (id int)")
    """,
    "keywords and hostaddr": """
        require "pg"
        PG::Connection.new(host: "{host}", hostaddr: "127.0.0.1", port: {port}, user: "{user}", dbname: "{database}")
          .exec_params("CREATE TABLE made (id int)", [])
    """,
    "a hash, a block, and PGHOSTADDR set by the program": """
        ENV["PGHOSTADDR"] = "192.0.2.1"
        require "pg"
        PG::Connection.open({{"host" => "{host}", "dbname" => "{database}"}}) {{ |c| c.query("CREATE TABLE made (id int)") }}
    """,
    "positions": """
        require "pg"
        PG::Connection.connect("{host}", {port}, nil, nil, "{database}", "{user}", "x").exec("CREATE TABLE made (id int)")
    """,
    "a program that the tool starts": """
        require "rbconfig"
        exit system(RbConfig.ruby, "-rpg", "-e", 'PG.connect("{url}").exec("CREATE TABLE made (id int)")')
    """,
}


@dataclass
class Programs:
    directory: Path

    def run(self, text: str, dsn: Dsn, environ: dict[str, str] | None = None) -> ToolRun:
        (self.directory / "p.rb").write_text(dedent(text))
        prepared = resolve(
            Command(("ruby", "p.rb"), "ruby"), checkout=self.directory, top=self.directory, root="",
            environ={"PATH": os.environ["PATH"], **(environ or {})},
        )  # fmt: skip
        return execute(prepared, dsn=dsn, deadline=Deadline.after(60), redact=lambda text: text)


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    ruby = shutil.which("ruby")
    if not ruby or subprocess.run([ruby, "-rpg", "-e", ""], capture_output=True, check=False).returncode:
        pytest.skip("needs ruby and its pg")
    return Programs(tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_a_program_with_productions_address_in_its_code_works_on_the_test_database(
    way: str, programs: Programs, postgres: Postgres
) -> None:
    production, test = postgres.database(), postgres.database()
    place = {
        "url": production.uri(), "host": production.host, "port": production.port, "user": production.user,
        "database": production.database,
    }  # fmt: skip
    run = programs.run(WAYS[way].format(**place), test)
    assert run.exit_code == 0, run.output
    assert tables(test) == {"made"}
    assert tables(production) == set(), "production was written to"
    assert run.redirected and run.connections == 1
    assert [s.sql for s in run.statements] == ["CREATE TABLE made (id int)"]


TABLE = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)"
CONNECT = 'require "pg"\nc = PG.connect("postgresql://nowhere.invalid/x")\n'


def test_what_postgres_says_about_an_error_is_kept(programs: Programs, postgres: Postgres) -> None:
    run = programs.run(CONNECT + 'c.exec("INSERT INTO t VALUES (1)")', postgres.database(TABLE))
    assert run.exit_code == 1
    assert run.failed and run.failed.error and run.failed.sql == "INSERT INTO t VALUES (1)"
    assert (run.failed.error.sqlstate, run.failed.error.detail) == ("23505", "Key (id)=(1) already exists.")
    assert run.failed.error.message == 'duplicate key value violates unique constraint "t_pkey"'
    assert run.failed.frames == (("p.rb", 3),)


def test_a_prepared_statement_shows_its_text_its_hint_and_its_position(programs: Programs, postgres: Postgres) -> None:
    run = programs.run(CONNECT + 'c.prepare("p", "SELECT uppper($1::text)")', postgres.database())
    assert run.failed and run.failed.error and run.failed.sql == "SELECT uppper($1::text)"
    assert (run.failed.error.sqlstate, run.failed.error.position) == ("42883", 8)
    assert run.failed.error.hint
    run = programs.run(
        CONNECT + 'c.prepare("p", "SELECT 10 / $1::int")\nc.exec_prepared("p", [0])', postgres.database()
    )
    assert run.failed and run.failed.error
    assert (run.failed.sql, run.failed.params, run.failed.error.sqlstate) == ("SELECT 10 / $1::int", "[0]", "22012")


def test_statements_of_one_transaction_share_a_number(programs: Programs, postgres: Postgres) -> None:
    text = CONNECT + dedent("""
        c.transaction { c.exec("UPDATE t SET id = 2"); c.exec("SELECT 1") }
        c.transaction { c.exec("SELECT 2") }
    """)
    run = programs.run(text, postgres.database(TABLE))
    assert run.exit_code == 0, run.output
    by_sql = {statement.sql: statement for statement in run.statements}
    assert by_sql["UPDATE t SET id = 2"].transaction == by_sql["SELECT 1"].transaction > 0
    assert by_sql["SELECT 2"].transaction > by_sql["SELECT 1"].transaction
    assert by_sql["UPDATE t SET id = 2"].rows == 1


def test_settings_of_a_session_that_say_nothing_about_the_place_stay(programs: Programs, postgres: Postgres) -> None:
    text = """
        require "pg"
        c = PG.connect(host: "nowhere.invalid", options: "endpoint=ep-production -c search_path=shop")
        puts c.exec("SHOW search_path").getvalue(0, 0)
    """
    assert programs.run(text, postgres.database()).output == "shop\n"


def test_options_of_ruby_that_are_set_already_stay(programs: Programs, postgres: Postgres) -> None:
    run = programs.run('puts ENV["RUBYOPT"]', postgres.database(), {"RUBYOPT": "-W0"})
    assert run.output == "-W0 -rneon_hooks_shim\n"
    assert run.redirected


def test_a_program_without_a_driver_is_not_disturbed(programs: Programs, postgres: Postgres) -> None:
    run = programs.run('class Other; end; puts "hello"', postgres.database())
    assert (run.output, run.exit_code, run.redirected) == ("hello\n", 0, True)
