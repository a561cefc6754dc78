"""`neon-hooks record`: the queries of real test suites, without their literals, and what a push makes of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from neon_hooks.dsn import Dsn
from neon_hooks.errors import UsageError
from neon_hooks.recording import led, local_target
from tests.fix_gate import Team
from tests.fix_systems import PROJECTS, python_environment
from tests.gate.stories import SQL

SUITE = """\
import os, sys
import psycopg
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as c:
    c.execute("create table if not exists customers (id int, email text, nickname text)")
    c.execute("insert into customers (id, email) values (1, 'jane@example.com'), (2, 'joe@example.com')")
    c.execute("insert into customers (id, email) values (3, 'jim@example.com')")
    c.execute("select nickname from customers where email = %s -- Jane", ["jane@example.com"])
    c.execute("select email from customers where id in (1, 2, 3) order by 1 limit 5")
    c.execute("select email from customers where id in (1)  order by 1 limit 7")
    c.execute("select oid from pg_class"); c.execute("set search_path to public")
    try:
        c.execute("select nothing from customers")
    except psycopg.Error:
        pass
sys.exit(int(sys.argv[1]))
"""
RECORDED = """\
-- Literals are parameters here; lists of them are as long as the shortest that was seen.

insert into customers (id, email) values ($1, $2);
select email from customers where id in (1) order by 1 limit $1;
select nickname from customers where email = $1;
"""
DJANGO_TESTS = """\
from django.test import TestCase
from shop.models import Customer

class Customers(TestCase):
    def test_names(self):
        Customer.objects.create(email="jane@example.com", nickname="Jane")
        self.assertEqual(Customer.objects.filter(nickname__startswith="Ja").count(), 1)
"""


def record(*argv: str, cwd: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "neon_hooks", "record", *argv)
    return subprocess.run(command, cwd=cwd, env={**os.environ, **environ}, capture_output=True, text=True, timeout=120)


def test_what_a_test_suite_sends_is_written_without_literals(database: Dsn, tmp_path: Path) -> None:
    (tmp_path / "suite.py").write_text(SUITE)
    file, environ = tmp_path / "q.sql", {"DATABASE_URL": database.uri()}
    argv = ("--output", str(file), "--", sys.executable, "suite.py")
    done = record(*argv, "0", cwd=tmp_path, environ=environ)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    head, rest = file.read_text().split("\n", 1)
    assert rest == RECORDED and head == f"-- The queries that `{sys.executable} suite.py` sent, written by `neon-hooks record`."
    assert "wrote 3 queries of " in done.stdout
    assert record(*argv, "3", cwd=tmp_path, environ=environ).returncode == 3  # the suite's own
    assert file.read_text().endswith(rest)


def test_a_suite_that_makes_its_own_database_beside_the_named_one(database: Dsn, tmp_path: Path) -> None:
    shutil.copytree(PROJECTS / "django", tmp_path, dirs_exist_ok=True)
    settings = tmp_path / "config/settings.py"
    settings.write_text(settings.read_text() + 'DATABASES["default"]["PORT"] = os.environ["DB_PORT"]\n')
    (tmp_path / "shop/tests.py").write_text(DJANGO_TESTS)
    environ = {
        "DATABASE_URL": database.uri(), "DB_HOST": "localhost", "DB_PORT": str(database.port), "DB_NAME": database.database,
        "DB_USER": database.user, "DB_PASSWORD": database.password, "DB_SSLMODE": "disable", "SECRET_KEY": "x",
    }  # fmt: skip
    done = record("--output", "q.sql", "--", str(python_environment("django")), "manage.py", "test", cwd=tmp_path, environ=environ)
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "q.sql").read_text()
    assert 'SELECT COUNT(*) AS "__count" FROM "shop_customer" WHERE "shop_customer"."nickname"::text LIKE $1;' in written
    assert 'INSERT INTO "shop_customer" ("email", "nickname") VALUES ($1, $2) RETURNING "shop_customer"."id";' in written
    assert "jane@example.com" not in written and "CREATE" not in written


def test_what_is_recorded_is_known_when_it_is_pushed(team: Team) -> None:
    SQL.start(team)
    file = "db/queries.sql"
    team.deployed({"suite.py": SUITE, file: "", ".neon-hooks.toml": f'[trials]\nqueries = "{file}"\n'})
    team.query("create database suite")
    environ = {**team.environment(), "DATABASE_URL": replace(team.emulator.main, database="suite").uri()}
    done = record("--", sys.executable, "suite.py", "0", cwd=team.clone.path, environ=environ)
    assert done.returncode == 0, done.stderr
    variable = {"NEON_HOOKS_DATABASE": "neondb"}
    pushed = team.push({"migrations/003_x.sql": "ALTER TABLE customers RENAME COLUMN nickname TO nick;\n"}, environ=variable)
    assert pushed.exit_code == 1
    (finding,) = pushed.errors
    assert finding["message"].startswith(f"{file}:6 could be prepared before 003_x.sql, statement 1")
    known = pushed.document["systems"][0]["facts"]["deployed"]
    assert (known["files"], known["tried"]) == (3, 2)  # production numbers its customers itself
    assert [each["error"]["sqlstate"] for each in known["unprepared"]] == ["428C9"]


@pytest.mark.parametrize(
    ("environ", "argv", "said"),
    [
        ({}, ("--", "true"), "DATABASE_URL is not set"),
        ({"DATABASE_URL": "mysql://localhost/x"}, ("--", "true"), "DATABASE_URL: this is not a Postgres connection string"),
        ({"DATABASE_URL": "postgres://app:canary@ep-1.neon.tech/x"}, ("--", "true"), "leads to ep-1.neon.tech, and only"),
        ({"DATABASE_URL": "postgres://127.0.0.1:1/x"}, ("--", "no-such-program"), "cannot start no-such-program"),
        ({"DATABASE_URL": "postgres://127.0.0.1:1/x"}, ("--", "true"), "`true` made no connection to x at 127.0.0.1:1"),
        ({"DATABASE_URL": "postgres://127.0.0.1:1/x"}, (), "there is no command to record"),
    ],
)
def test_what_cannot_be_recorded_is_said_with_a_remedy(
    environ: dict[str, str], argv: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = record("--output", "q.sql", *argv, cwd=tmp_path, environ={"DATABASE_URL": "", **environ})
    assert done.returncode in (2, 3) and said in done.stderr and "  fix: " in done.stderr and "canary" not in done.stderr
    assert not (tmp_path / "q.sql").exists()


def test_every_address_of_the_database_is_led_through_the_recorder_and_no_other() -> None:
    environ = {
        "DATABASE_URL": "postgresql+asyncpg://u:p@localhost:5433/a?ssl=require", "TEST_URL": "postgres://u@127.0.0.1:5433/b",
        "OTHER": "postgres://u:p@localhost:5434/a", "REMOTE": "postgres://u:p@db.example.com:5433/a", "REDIS": "redis://localhost:5433",
        "PGHOST": "localhost", "PGPORT": "5433", "PGSSLMODE": "require", "DB_PORT": "5434", "DB_NAME": "a", "PATH": "/bin",
    }  # fmt: skip
    target = local_target(environ, "TEST_URL")
    recorder = replace(target, host="127.0.0.1", port=7)
    found = led(environ, target, recorder)
    changed = {name: value for name, value in found.items() if environ[name] != value}
    assert changed == {
        "DATABASE_URL": "postgresql+asyncpg://u:p@127.0.0.1:7/a?ssl=disable",
        "TEST_URL": "postgres://u@127.0.0.1:7/b?sslmode=disable",
        "PGHOST": "127.0.0.1", "PGPORT": "7", "PGSSLMODE": "disable",
    }  # fmt: skip
    with pytest.raises(UsageError, match="NOT_SET is not set"):
        local_target(environ, "NOT_SET")
