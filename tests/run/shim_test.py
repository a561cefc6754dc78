"""The driver shim with real drivers: whatever a program asks for, it gets the test database."""

from __future__ import annotations

import ast
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.facts import ToolRun
from neon_hooks.plan import Command
from neon_hooks.run import SHIMS, execute, resolve
from neon_hooks.systems.django_settings import SETTINGS_WRAPPER
from tests.fix_systems import Postgres, tables

# {url}, {host}, {port}, ...: production's, as a careless program has them in its code.
WAYS = {
    "psycopg, a URL": """
        import psycopg
        with psycopg.connect("{url}") as c: c.execute("CREATE TABLE made (id int)")
    """,
    "psycopg, keywords and hostaddr": """
        import psycopg
        with psycopg.Connection.connect(host="{host}", hostaddr="127.0.0.1", port={port}, user="{user}",
                                        password="{password}", dbname="{database}", autocommit=True) as c:
            c.cursor().execute("CREATE TABLE made (id int)")
    """,
    "psycopg, a subclass": """
        import psycopg
        class Mine(psycopg.Connection):
            pass
        with Mine.connect("{url}", row_factory=psycopg.rows.dict_row) as c:
            c.execute("CREATE TABLE made (id int)")
            assert c.execute("SELECT 1 AS one").fetchone() == dict(one=1)
    """,
    "psycopg, PGHOSTADDR and a service set by the program": """
        import os, psycopg
        os.environ.update(PGHOSTADDR="192.0.2.1", PGSERVICE="production")
        with psycopg.connect("{url}") as c: c.execute("CREATE TABLE made (id int)")
    """,
    "psycopg, async": """
        import asyncio, psycopg
        async def main():
            async with await psycopg.AsyncConnection.connect("{url}") as c:
                await c.execute("CREATE TABLE made (id int)")
        asyncio.run(main())
    """,
    "psycopg, a pool": """
        from psycopg_pool import ConnectionPool
        with ConnectionPool("{url}", min_size=1, open=True) as pool, pool.connection() as c:
            c.execute("CREATE TABLE made (id int)")
    """,
    "psycopg2, a URL": """
        import psycopg2
        c = psycopg2.connect("{url}"); c.cursor().execute("CREATE TABLE made (id int)"); c.commit()
    """,
    "psycopg2, connect imported by name": """
        from psycopg2 import connect
        with connect(host="{host}", port={port}, user="{user}", password="{password}",
                     dbname="{database}") as c:
            with c.cursor() as cursor: cursor.execute("CREATE TABLE made (id int)")
    """,
    "psycopg2, a connection class with cursors of its own": """
        import psycopg2, psycopg2.extras
        c = psycopg2.connect("{url}", connection_factory=psycopg2.extras.DictConnection)
        cursor = c.cursor(); cursor.execute("CREATE TABLE made (id int)"); cursor.execute("SELECT 1 AS one")
        assert cursor.fetchone()["one"] == 1
        c.commit()
    """,
    "psycopg2, a pool and a cursor class": """
        import psycopg2.pool, psycopg2.extras
        c = psycopg2.pool.SimpleConnectionPool(1, 2, "{url}").getconn()
        cursor = c.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
        cursor.execute(psycopg2.sql.SQL("CREATE TABLE made (id int)") if hasattr(psycopg2, "sql")
                       else "CREATE TABLE made (id int)")
        cursor.execute("SELECT 1 AS one"); assert dict(cursor.fetchone()) == dict(one=1)
        c.commit()
    """,
    "asyncpg, a URL": """
        import asyncio, asyncpg
        async def main():
            c = await asyncpg.connect("{url}"); await c.execute("CREATE TABLE made (id int)"); await c.close()
        asyncio.run(main())
    """,
    "asyncpg, a pool and keywords": """
        import asyncio, asyncpg
        async def main():
            async with asyncpg.create_pool(host="{host}", port={port}, user="{user}", password="{password}",
                                           database="{database}", min_size=1) as pool:
                await pool.execute("CREATE TABLE made (id int)")
        asyncio.run(main())
    """,
    "pg8000, the DB-API": """
        import pg8000
        c = pg8000.connect("{user}", host="{host}", port={port}, password="{password}", database="{database}")
        c.cursor().execute("CREATE TABLE made (id int)"); c.commit(); c.close()
    """,
    "pg8000, native": """
        import pg8000.native
        c = pg8000.native.Connection("{user}", "{host}", "{database}", {port}, "{password}")
        c.run("CREATE TABLE made (id int)"); c.close()
    """,
    "SQLAlchemy, each of its drivers": """
        import sqlalchemy as sa
        for driver in ("psycopg", "psycopg2", "pg8000"):
            url = "{url}".replace("postgresql", "postgresql+" + driver)
            with sa.create_engine(url.partition("?")[0]).begin() as c:
                c.execute(sa.text("CREATE TABLE IF NOT EXISTS made (id int)"))
    """,
    "SQLAlchemy with asyncpg": """
        import asyncio, sqlalchemy as sa
        from sqlalchemy.ext.asyncio import create_async_engine
        async def main():
            engine = create_async_engine("{url}".replace("postgresql", "postgresql+asyncpg"))
            async with engine.begin() as c: await c.execute(sa.text("CREATE TABLE made (id int)"))
            await engine.dispose()
        asyncio.run(main())
    """,
    "a process that the program starts": """
        import subprocess, sys
        subprocess.run([sys.executable, "-c", 'import psycopg\\nwith psycopg.connect("{url}") as c:'
                        ' c.execute("CREATE TABLE made (id int)")'], check=True)
    """,
}


@dataclass
class Scripts:
    """Runs programs as the project's tool is run."""

    directory: Path
    python: Path

    def run(self, text: str, dsn: Dsn, environ: dict[str, str] | None = None, seconds: float = 60) -> ToolRun:
        lines = text.strip("\n").split("\n")
        indent = len(lines[0]) - len(lines[0].lstrip())
        (self.directory / "program.py").write_text("\n".join(line[indent:] for line in lines) + "\n")
        command = Command(("python", "program.py"), "python", module="json")
        prepared = resolve(
            command, checkout=self.directory, top=self.directory, root="", python=str(self.python),
            environ={"PATH": os.environ["PATH"], **(environ or {})},
        )  # fmt: skip
        return execute(prepared, dsn=dsn, deadline=Deadline.after(seconds), redact=lambda text: text)


@pytest.fixture
def scripts(tmp_path: Path, sqlalchemy_python: Path) -> Scripts:
    return Scripts(tmp_path, sqlalchemy_python)


@pytest.mark.parametrize("way", WAYS)
def test_a_program_with_productions_address_in_its_code_works_on_the_test_database(
    way: str, scripts: Scripts, postgres: Postgres
) -> None:
    production, test = postgres.database(), postgres.database()
    place = {
        "url": production.uri(), "host": production.host, "port": production.port, "user": production.user,
        "password": production.password, "database": production.database,
    }  # fmt: skip
    run = scripts.run(WAYS[way].replace("dict(", "__d(").format(**place).replace("__d(", "dict("), test)
    assert run.exit_code == 0, run.output
    assert tables(test) == {"made"}
    assert tables(production) == set(), "production was written to"
    assert run.redirected and run.connections
    assert any("CREATE TABLE" in statement.sql for statement in run.statements)


# How each driver is made to fail, and to fail only when it commits. {url} leads nowhere.
DRIVERS = {
    "psycopg": """
        import psycopg
        c = psycopg.connect("postgresql://nowhere.invalid/x")
        def run(sql): c.execute(sql)
        def commit(): c.commit()
    """,
    "psycopg2": """
        import psycopg2
        c = psycopg2.connect("postgresql://nowhere.invalid/x")
        def run(sql): c.cursor().execute(sql)
        def commit(): c.commit()
    """,
    "asyncpg": """
        import asyncio, asyncpg
        loop = asyncio.new_event_loop()
        c = loop.run_until_complete(asyncpg.connect("postgresql://nowhere.invalid/x"))
        loop.run_until_complete(c.execute("BEGIN"))
        def run(sql): loop.run_until_complete(c.execute(sql))
        def commit(): run("COMMIT")
    """,
    "pg8000": """
        import pg8000.dbapi
        c = pg8000.dbapi.connect("nobody", host="nowhere.invalid")
        def run(sql): c.cursor().execute(sql)
        def commit(): c.commit()
    """,
}
TABLE = """CREATE TABLE t (id int PRIMARY KEY, other int REFERENCES t DEFERRABLE INITIALLY DEFERRED);
           INSERT INTO t VALUES (1)"""


def with_driver(driver: str, text: str) -> str:
    lines = DRIVERS[driver].strip("\n").split("\n")
    return "\n".join(line[8:] for line in lines) + "\n" + text


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_postgres_says_about_an_error_is_kept(driver: str, scripts: Scripts, postgres: Postgres) -> None:
    run = scripts.run(with_driver(driver, "run('INSERT INTO t VALUES (1)')"), postgres.database(TABLE))
    assert run.exit_code == 1
    failed = run.failed
    assert failed and failed.error and failed.sql == "INSERT INTO t VALUES (1)"
    assert (failed.error.sqlstate, failed.error.detail) == ("23505", "Key (id)=(1) already exists.")
    assert 'violates unique constraint "t_pkey"' in failed.error.message


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_hint_and_a_position_are_kept(driver: str, scripts: Scripts, postgres: Postgres) -> None:
    run = scripts.run(with_driver(driver, "run('SELECT uppper(1::text)')"), postgres.database())
    assert run.failed and run.failed.error
    assert (run.failed.error.sqlstate, run.failed.error.position) == ("42883", 8)
    assert run.failed.error.hint


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_error_at_commit_is_a_statement(driver: str, scripts: Scripts, postgres: Postgres) -> None:
    run = scripts.run(
        with_driver(driver, "run('UPDATE t SET other = 7')\ncommit()"), postgres.database(TABLE)
    )
    assert run.failed and run.failed.error
    assert run.failed.error.sqlstate == "23503"
    assert run.failed.sql.strip().upper() == "COMMIT"


@pytest.mark.parametrize("driver", DRIVERS)
def test_statements_of_one_transaction_share_a_number(
    driver: str, scripts: Scripts, postgres: Postgres
) -> None:
    text = "run('UPDATE t SET id = 2')\nrun('SELECT 1')\ncommit()\nrun('SELECT 2')\ncommit()"
    run = scripts.run(with_driver(driver, text), postgres.database(TABLE))
    assert run.exit_code == 0, run.output
    by_sql = {statement.sql: statement for statement in run.statements}
    assert by_sql["UPDATE t SET id = 2"].transaction == by_sql["SELECT 1"].transaction > 0
    assert by_sql["SELECT 2"].transaction > by_sql["SELECT 1"].transaction
    assert by_sql["UPDATE t SET id = 2"].rows == 1
    assert all(statement.ms > 0 for statement in run.statements)


def test_an_error_while_asyncpg_prepares_is_not_lost(scripts: Scripts, postgres: Postgres) -> None:
    text = with_driver("asyncpg", "loop.run_until_complete(c.prepare('SELECT nothing_there'))")
    run = scripts.run(text, postgres.database())
    assert run.failed and run.failed.error and run.failed.error.sqlstate == "42703"
    assert run.failed.sql == "SELECT nothing_there"


def test_settings_of_a_session_that_say_nothing_about_the_place_stay(
    scripts: Scripts, postgres: Postgres
) -> None:
    text = """
        import psycopg, psycopg2, asyncio, asyncpg
        options = "endpoint=ep-production -c search_path=shop"
        for connect in (psycopg.connect, psycopg2.connect):
            c = connect("host=nowhere.invalid", options=options).cursor()
            c.execute("SHOW search_path"); print(connect.__module__, c.fetchone()[0])
        async def main():
            c = await asyncpg.connect("postgresql://nowhere.invalid/x?search_path=shop")
            print("asyncpg", await c.fetchval("SHOW search_path"))
        asyncio.run(main())
    """
    run = scripts.run(text, postgres.database())
    assert [line.split()[-1] for line in run.output.splitlines()] == ["shop"] * 3, run.output


def test_a_process_that_leaves_the_shim_behind_shows_no_connection(
    scripts: Scripts, postgres: Postgres
) -> None:
    text = """
        import sys, os
        os.execv(sys.executable, [sys.executable, "-I", "-c", "import psycopg; print('isolated')"])
    """
    run = scripts.run(text, postgres.database())
    assert "isolated" in run.output
    assert run.connections == 0


def test_a_connection_that_goes_elsewhere_is_noticed(scripts: Scripts, postgres: Postgres) -> None:
    production = postgres.database()
    text = f"""
        import psycopg, sys
        c = psycopg.connect("postgresql://nowhere.invalid/x")
        shim = sys.modules["neon_hooks_shim"]
        other = "{production.database}"
        import neon_hooks_psycopg
        c.execute("SELECT 1")
        # Somebody else's hook changes the parameters after ours.
        make = psycopg.conninfo.make_conninfo
        psycopg.conninfo.make_conninfo = lambda conninfo="", **p: make(conninfo, **dict(p, dbname=other))
        psycopg.connect("postgresql://nowhere.invalid/x").execute("SELECT 1")
    """
    run = scripts.run(text, postgres.database())
    assert run.exit_code == 0, run.output
    assert (run.redirected, run.connections) == (False, 2)


def test_another_sitecustomize_is_still_loaded(scripts: Scripts, postgres: Postgres) -> None:
    other = scripts.directory / "other"
    other.mkdir()
    (other / "sitecustomize.py").write_text("import builtins\nbuiltins.from_the_other = 'loaded'\n")
    run = scripts.run("print(from_the_other)", postgres.database(), {"PYTHONPATH": str(other)})
    assert run.output.strip() == "loaded"
    assert run.redirected


def test_a_journal_that_cannot_be_written_does_not_disturb(scripts: Scripts, postgres: Postgres) -> None:
    text = """
        import psycopg, sys, gc
        shim = next(o for o in gc.get_objects() if type(o).__name__ == "Journal")
        shim.path = "/nonexistent/journal"
        with psycopg.connect("postgresql://nowhere.invalid/x") as c: c.execute("CREATE TABLE made (id int)")
    """
    test = postgres.database()
    run = scripts.run(text, test)
    assert run.exit_code == 0, run.output
    assert tables(test) == {"made"}


@pytest.mark.parametrize(
    "file", [*sorted((SHIMS / "python").glob("*.py")), None], ids=lambda f: f.name if f else "wrapper"
)
def test_what_runs_in_the_projects_interpreter_is_python_3_8(file: Path | None) -> None:
    text = file.read_text() if file else SETTINGS_WRAPPER
    module = ast.parse(text, feature_version=(3, 8))
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(module)
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert imported <= set(sys.stdlib_module_names)
