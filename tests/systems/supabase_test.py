"""Supabase: what is found, how the CLI is started, and what its words mean."""

from __future__ import annotations

import json

import pytest

from neon_hooks.plan import Command
from neon_hooks.settings import Settings
from neon_hooks.systems import detect, supabase
from tests.fix_systems import PROJECTS, tree, tree_of

SQL = "create table t (a int);"
FILES = {"supabase/config.toml": "", "supabase/migrations/20250101000000_a.sql": SQL}


@pytest.mark.parametrize("root", ["", "apps/web/"])
def test_supabase_is_found(root: str) -> None:
    (unit,) = detect(tree({root + path: text for path, text in FILES.items()}), Settings())
    assert (unit.system, unit.root) == ("supabase", root.rstrip("/"))
    assert unit.migrations_dir == f"{root}supabase/migrations"


def test_the_example_project_is_found() -> None:
    (unit,) = detect(tree_of(PROJECTS / "supabase"), Settings())
    assert unit.system == "supabase"


@pytest.mark.parametrize(
    "files",
    [{"supabase/config.toml": ""}, {"config.toml": "", "migrations/20250101000000_a.sql": SQL}],
    ids=["no migrations", "another program's config.toml"],
)
def test_what_only_looks_like_supabase_is_left_alone(files: dict[str, str]) -> None:
    assert "supabase" not in [unit.system for unit in detect(tree(files), Settings())]


def test_the_id_is_the_timestamp_and_other_files_are_no_migrations() -> None:
    more = {f"supabase/migrations/{name}": SQL for name in ("20240101000000_b.sql", "README.md", "old/20230101000000_c.sql")}
    files = tree(FILES | more)
    (unit,) = detect(files, Settings())
    assert [migration.id for migration in supabase.history(unit, files)] == ["20240101000000", "20250101000000"]


@pytest.mark.parametrize(
    ("version", "words"),
    [("3.1.0", ("--db-url", "{url}")), ("^2.40.0", ("--db-url", "{url}")), ("^4.0.0", ("--yes", "--remote={url}"))],
)
def test_the_address_is_given_as_the_version_takes_it(version: str, words: tuple[str, str]) -> None:
    files = FILES | {"package.json": json.dumps({"devDependencies": {"supabase": version}})}
    (unit,) = detect(tree(files), Settings())
    command = supabase.apply(unit, ())
    assert isinstance(command, Command) and command.argv[-2:] == words


SAID = """\
Applying migration 20250301000000_x.sql...
ERROR: {message}
At statement: 1
alter table t
  add column b int
Try rerunning the command with --debug to troubleshoot the error.
"""


@pytest.mark.parametrize(
    ("message", "sqlstate", "detail"),
    [
        ('column "b" of relation "t" already exists (SQLSTATE 42701)', "42701", ""),
        ("could not create unique index (SQLSTATE 23505)\nKey (a)=(1) is duplicated.", "23505", "Key (a)=(1) is duplicated."),
    ],
)
def test_postgres_words_are_read_from_the_output(message: str, sqlstate: str, detail: str) -> None:
    error = supabase.explain(SAID.format(message=message))
    assert error and (error.sqlstate, error.detail) == (sqlstate, detail)
    assert error.message == message.partition(" (SQLSTATE")[0]
    assert "alter table t\n  add column b int" in error.context and "rerunning" not in error.context


def test_what_cannot_be_in_a_transaction_is_replayed_without_one() -> None:
    path = "supabase/migrations/20250201000000_b.sql"
    files = tree(FILES | {path: "create index concurrently i on t (a);"})
    (unit,) = detect(files, Settings())
    replayed = supabase.replay(unit, files, supabase.history(unit, files))
    assert [each.transaction for each in replayed] == [True, False]
