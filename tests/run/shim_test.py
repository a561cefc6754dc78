"""The driver shim in real interpreters with real drivers: whatever a program asks for, it gets the test database."""

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
from tests.fix_systems import Postgres, query, tables

# {url}, {host}, {port}, {user}, {password}, {database}: production's, as a careless program has them in its code.
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
        with connect(host="{host}", port={port}, user="{user}", password="{password}", dbname="{database}") as c:
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
            with sa.create_engine("{url}".replace("postgresql", "postgresql+" + driver)).begin() as c:
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
