"""Real Alembic, with and without Flask-Migrate, on a real Postgres."""

from __future__ import annotations

from pathlib import Path

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.errors import DeadlineExceeded
from neon_hooks.run import attribute, execute
from neon_hooks.systems import by_name
from tests.fix_systems import Copy, Postgres, Project, query, tables, tree_of

REQUIRED = """
from alembic import op
revision, down_revision = "c3", "b2"
def upgrade(): op.alter_column("customers", "nickname", nullable=False)
"""
SECOND_HEAD = """
from alembic import op
revision = "d4"
down_revision = "b2"
def upgrade(): op.execute("CREATE TABLE orders (id int)")
"""
CUSTOMER = "INSERT INTO customers (id, email) VALUES (1, 'someone@example.com')"
SLOW = """
from alembic import op
revision, down_revision = "c3", "b2"
def upgrade(): op.execute("SELECT pg_sleep(60)")
"""


@pytest.fixture
def shop(project: Copy, sqlalchemy_python: Path) -> Project:
    return project("alembic", sqlalchemy_python)


def add(shop: Project, name: str, text: str) -> None:
    shop.write({f"migrations/versions/{name}.py": text})


def test_migrations_run_on_the_test_database_and_are_recorded(shop: Project, postgres: Postgres) -> None:
    database = postgres.database()
    run = shop.run(database)
    assert run.exit_code == 0, run.output
    assert run.redirected and run.connections == 1
    assert {"customers", "alembic_version"} <= tables(database)
    assert shop.rows(database) == {"b2"}


def test_a_second_run_changes_nothing(shop: Project, postgres: Postgres) -> None:
    database = postgres.database()
    shop.run(database)
    again = shop.run(database)
    assert again.exit_code == 0
    assert not [
        s.sql
        for s in again.statements
        if s.sql.lstrip()[:6].upper() in ("INSERT", "UPDATE", "CREATE", "ALTER ")
    ]


def test_a_migration_that_only_an_empty_table_allows_fails_on_rows(shop: Project, postgres: Postgres) -> None:
    empty, full = postgres.database(), postgres.database()
    for database in (empty, full):
        shop.run(database)
    query(full, CUSTOMER)
    add(shop, "c3_require_nickname", REQUIRED)
    assert shop.run(empty).exit_code == 0
    run = shop.run(full)
    assert run.exit_code != 0
    assert run.failed and run.failed.error
    assert run.failed.sql == "ALTER TABLE customers ALTER COLUMN nickname SET NOT NULL"
    assert run.failed.error.sqlstate == "23502"
    assert shop.rows(full) == {"b2"}


def test_a_failing_statement_is_attributed_to_its_migration(shop: Project, postgres: Postgres) -> None:
    database = postgres.database()
    unit, system = shop.unit, by_name("alembic")
    assert system.bookkeeping
    add(shop, "c3_require_nickname", REQUIRED)
    add(shop, "c0_insert", 'from alembic import op\nrevision, down_revision = "b9", "a1"\n'
        f'def upgrade(): op.execute("{CUSTOMER}")\n')  # fmt: skip
    add(
        shop,
        "b2_add_nickname",
        (shop.path / "migrations/versions/b2_add_nickname.py").read_text().replace('"a1"', '"b9"'),
    )
    run = shop.run(database)
    found = attribute(
        run.statements,
        system.history(unit, tree_of(shop.path)),
        system.bookkeeping(unit),
        applied=frozenset(),
    )
    paths = {s.sql.split("(")[0].strip(): s.path.rpartition("/")[2] for s in found}
    assert paths["INSERT INTO customers"] == "c0_insert.py"
    assert paths["ALTER TABLE customers ALTER COLUMN nickname SET NOT NULL"] == "c3_require_nickname.py"


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "pg8000"])
def test_an_address_in_the_code_leads_to_the_test_database_all_the_same(
    driver: str, shop: Project, postgres: Postgres
) -> None:
    production, test = postgres.database(), postgres.database()
    address = f"postgresql+{driver}://{production.user}:{production.password}@127.0.0.1:{production.port}"
    env = (shop.path / "migrations/env.py").read_text()
    shop.write(
        {"migrations/env.py": env.replace('os.environ["DATABASE_URL"]', f'"{address}/{production.database}"')}
    )
    run = shop.run(test)
    assert run.exit_code == 0, run.output
    assert shop.rows(test) == {"b2"}
    assert tables(production) == set()
    assert production.password not in run.output


ASYNC_ENV = """
import asyncio, os
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

def run(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def main():
    engine = create_async_engine(os.environ.get("DATABASE_URL", "postgresql+asyncpg://localhost/shop"))
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()

asyncio.run(main())
"""


def test_an_asynchronous_environment_gets_an_address_for_its_driver(
    shop: Project, postgres: Postgres
) -> None:
    shop.write({"migrations/env.py": ASYNC_ENV})
    database = postgres.database()
    run = shop.run(database)
    assert run.exit_code == 0, run.output
    assert shop.rows(database) == {"b2"}
    assert any("CREATE TABLE customers" in s.sql for s in run.statements)


def test_an_environment_without_an_ini_file_gets_one(shop: Project, postgres: Postgres) -> None:
    (shop.path / "alembic.ini").unlink()
    database = postgres.database()
    run = shop.run(database)
    assert run.exit_code == 0, run.output
    assert shop.rows(database) == {"b2"}
    assert not [path.name for path in shop.path.iterdir() if path.name != "migrations" and "ini" in path.name]


def test_two_heads_are_both_applied(shop: Project, postgres: Postgres) -> None:
    database = postgres.database()
    add(shop, "c3_require_nickname", REQUIRED)
    add(shop, "d4_orders", SECOND_HEAD)
    assert shop.run(database).exit_code == 0
    assert shop.rows(database) == {"c3", "d4"}


def test_a_tool_that_does_nothing_and_says_0_proves_nothing(shop: Project, postgres: Postgres) -> None:
    shop.write({"migrations/env.py": "from alembic import context\n"})
    database = postgres.database()
    run = shop.run(database)
    assert (run.exit_code, run.connections) == (0, 0)
    history = shop.work().history
    proof = by_name("alembic").prove(frozenset(), shop.rows(database), history, history)
    assert proof.missing == {"a1", "b2"}


def test_the_deadline_names_the_statement_that_was_running(shop: Project, postgres: Postgres) -> None:
    database = postgres.database()
    add(shop, "c3_slow", SLOW)
    with pytest.raises(DeadlineExceeded) as caught:
        shop.run(database, seconds=4)
    assert "SELECT pg_sleep(60)" in caught.value.message
    assert "python -m alembic" in caught.value.message


def test_the_tool_runs_in_the_checkout_and_not_in_the_work_tree(
    shop: Project, tmp_path: Path, postgres: Postgres
) -> None:
    # An editable install points into the work tree, where an unpushed change lies.
    top = tmp_path / "work"
    (top / "src/shop").mkdir(parents=True)
    (top / "src/shop/__init__.py").write_text("table = 'not_pushed'\n")
    shop.write({
        "src/shop/__init__.py": "table = 'pushed'\n",
        "migrations/versions/c3_uses_the_package.py": "from alembic import op\nimport shop\n"
        "revision, down_revision = 'c3', 'b2'\n"
        "def upgrade(): op.execute(f'CREATE TABLE {shop.table} (id int)')\n",
    })  # fmt: skip
    shop.environ["PYTHONPATH"] = str(top / "src")
    prepared = shop.prepare()
    database = postgres.database()
    moved = type(prepared)(**{**vars(prepared), "top": top})
    run = execute(moved, dsn=database, deadline=Deadline.after(60), redact=str)
    assert run.exit_code == 0, run.output
    assert "pushed" in tables(database) and "not_pushed" not in tables(database)


@pytest.fixture
def flask_shop(project: Copy, sqlalchemy_python: Path) -> Project:
    return project("flask_migrate", sqlalchemy_python)


def test_flask_migrate_runs_through_flask(flask_shop: Project, postgres: Postgres) -> None:
    database = postgres.database()
    assert flask_shop.unit.system == "alembic"
    run = flask_shop.run(database)
    assert run.exit_code == 0, run.output
    assert run.argv[:4] == ("python", "-m", "flask", "db")
    assert flask_shop.rows(database) == {"b2"}


def test_flask_finds_the_application_that_flaskenv_names(flask_shop: Project, postgres: Postgres) -> None:
    (flask_shop.path / "app.py").rename(flask_shop.path / "storefront.py")
    flask_shop.write({".flaskenv": "FLASK_APP=storefront:create_app\n"})
    database = postgres.database()
    run = flask_shop.run(database)
    assert run.exit_code == 0, run.output
    assert flask_shop.rows(database) == {"b2"}


def test_a_flask_application_with_productions_address_and_psycopg2(
    flask_shop: Project, postgres: Postgres
) -> None:
    production, test = postgres.database(), postgres.database()
    app = (flask_shop.path / "app.py").read_text()
    address = production.uri("postgresql+psycopg2")
    flask_shop.write({"app.py": app.replace('os.environ["DATABASE_URL"]', f'"{address}"')})
    run = flask_shop.run(test)
    assert run.exit_code == 0, run.output
    assert flask_shop.rows(test) == {"b2"}
    assert tables(production) == set()


def test_no_secret_reaches_the_tool_and_none_comes_back(shop: Project, postgres: Postgres) -> None:
    canary = "canary-5fb1c7"
    database = postgres.database()
    env = (shop.path / "migrations/env.py").read_text()
    shop.write(
        {
            "migrations/env.py": env + "\nprint(sorted(os.environ.items()))\n",
            ".env": f"STRIPE_API_KEY={canary}\n",
        }
    )
    shop.environ |= {
        "AWS_SECRET_ACCESS_KEY": canary, "NEON_API_KEY": canary, "GITHUB_TOKEN": canary, "GIT_DIR": canary,
        "DATABASE_URL": f"postgresql://u:{canary}@production.example.com/shop", "PGPASSWORD": canary,
        "SENTRY_DSN": f"https://{canary}@sentry.example.com/1", "APP_PASSWORD": canary,
    }  # fmt: skip
    run = shop.run(database)
    assert run.exit_code == 0, run.output
    assert "DATABASE_URL" in run.output
    assert canary not in repr(run) and canary not in repr(shop.prepare())
    assert {"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "STRIPE_API_KEY", "SENTRY_DSN", "APP_PASSWORD"} <= set(
        run.replaced
    )
