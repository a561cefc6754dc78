"""Flyway's files run without Flyway: Flyway itself accepts what was done and recorded."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from neon_hooks.database.replay import replay as run
from neon_hooks.dsn import Dsn
from neon_hooks.settings import Settings
from neon_hooks.systems import by_name, detect
from neon_hooks.systems.flyway_replay import replay
from tests.fix_jvm import jvm_program
from tests.fix_systems import PROJECTS, Postgres, query, tree, tree_of

FILES = {
    "flyway.conf": "flyway.locations=filesystem:sql\nflyway.postgresql.transactional.lock=false\n",
    "sql/V1__create_customers.sql": "CREATE TABLE customers (email text);\r\nINSERT INTO customers VALUES ('a');\n",
    "sql/V1_1__index.sql": "CREATE INDEX CONCURRENTLY email_idx ON customers (email);",
    "sql/sub/V1_10__it's_last.sql": "\ufeffALTER TABLE customers ADD nickname text",
    "sql/R__names.sql": "CREATE OR REPLACE VIEW names AS SELECT nickname FROM customers;\n",
    "sql/V1_50_no_name.sql": "CREATE TABLE never ();",
}


def flyway(goal: str, dsn: Dsn, directory: Path) -> subprocess.CompletedProcess[str]:
    program = str(jvm_program("flyway") / "flyway")
    url = f"-url=jdbc:postgresql://{dsn.host}:{dsn.port}/{dsn.database}"
    argv = (program, url, f"-user={dsn.user}", f"-password={dsn.password}", goal)
    return subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False)


def test_flyway_validates_a_replayed_database_and_has_nothing_left_to_do(postgres: Postgres, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    project = tree_of(tmp_path)
    (unit,) = detect(project, Settings())
    history = by_name("flyway").history(unit, project)
    dsn = postgres.database()
    steps = replay(unit, project, history)
    assert [step.id for step in steps] == [migration.id for migration in history]
    assert not [each for each in run(dsn, steps) if each.error]
    validated = flyway("validate", dsn, tmp_path)
    assert validated.returncode == 0, validated.stdout + validated.stderr
    again = flyway("migrate", dsn, tmp_path)
    assert "up to date" in again.stdout, again.stdout
    made = query(dsn, "select column_name, data_type, is_nullable, column_default from information_schema.columns"
                      " where table_name = 'flyway_schema_history' order by ordinal_position")  # fmt: skip
    other = postgres.database()
    assert flyway("migrate", other, tmp_path).returncode == 0
    assert made == query(other, "select column_name, data_type, is_nullable, column_default from"
                         " information_schema.columns where table_name = 'flyway_schema_history' order by"
                         " ordinal_position")  # fmt: skip


def test_what_flyway_refuses_is_refused(postgres: Postgres) -> None:
    project = tree_of(PROJECTS / "flyway")
    (unit,) = detect(project, Settings())
    history = by_name("flyway").history(unit, project)
    (failed,) = [each for each in run(postgres.database("create table other ()"), replay(unit, project, history)) if each.error]
    assert failed.error and "no schema history table" in failed.error.message
    dsn = postgres.database()
    run(dsn, replay(unit, project, history))
    query(dsn, "update flyway_schema_history set version = '1.10' where version = '1.1'")
    (failed,) = [each for each in run(dsn, replay(unit, project, history[1:])) if each.error]
    assert failed.error and "a newer version than 1.1 is applied already" in failed.error.message


@pytest.mark.parametrize(
    "files",
    [
        {"sql/V1__a.sql": "SELECT '${name}';"},
        {"sql/V1__a.sql": "DROP INDEX CONCURRENTLY a;"},
        {"sql/V1__a.sql": "", "sql/V1__a.sql.conf": "executeInTransaction=false"},
        {"sql/V1__a.sql": "", "sql/afterMigrate.sql": ""},
        {"sql/V1__a.sql": "", "flyway.conf": "flyway.locations=filesystem:sql\nflyway.baselineOnMigrate=true\n"},
    ],
    ids=["a placeholder", "its lock would wait for itself", "a script's own settings", "a callback", "a baseline"],
)
def test_where_flyway_does_more_than_run_files_nothing_is_replayed(files: dict[str, str]) -> None:
    project = tree({"flyway.conf": "flyway.locations=filesystem:sql\n", **files})
    (unit,) = detect(project, Settings())
    assert replay(unit, project, by_name("flyway").history(unit, project)) == ()
