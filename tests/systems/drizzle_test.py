"""Drizzle: what is found, in which order, and what its bookkeeping means."""

from __future__ import annotations

import json

import pytest

from neon_hooks.plan import Command
from neon_hooks.settings import Settings, SystemSettings
from neon_hooks.systems import detect, drizzle, work_for
from tests.fix_systems import PROJECTS, changes, tree, tree_of

CONFIG = 'export default defineConfig({ dialect: "postgresql", out: "./drizzle" });'
SQL = "CREATE TABLE t (a int);"


def journal(*entries: tuple[str, int], dialect: str = "postgresql") -> str:
    listed = [{"idx": number, "tag": tag, "when": when} for number, (tag, when) in enumerate(entries)]
    return json.dumps({"version": "7", "dialect": dialect, "entries": listed})


def project(*entries: tuple[str, int], **more: str) -> dict[str, str]:
    files = {f"drizzle/{tag}.sql": SQL for tag, _ in entries}
    return {"drizzle.config.ts": CONFIG, "drizzle/meta/_journal.json": journal(*entries), **files, **more}


ONE = {"0000_a.sql": SQL, "meta/_journal.json": journal(("0000_a", 1))}
FOLDER = {"20250101000000_a/migration.sql": SQL}


def below(directory: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{directory}/{name}": text for name, text in files.items()}


FOUND = {
    "a journal": ({"drizzle.config.ts": CONFIG, **below("drizzle", ONE)}, [("", "drizzle")]),
    "folders": ({"drizzle.config.ts": CONFIG, **below("drizzle", FOLDER)}, [("", "drizzle")]),
    "a package of a monorepo": (
        {"packages/db/drizzle.config.js": CONFIG.replace("./drizzle", "migrations"), **below("packages/db/migrations", ONE)},
        [("packages/db", "packages/db/migrations")],
    ),
    "a configuration below the package": (
        {"package.json": "{}", "src/db/drizzle.config.ts": CONFIG.replace("./drizzle", "src/db/out"), **below("src/db/out", ONE)},
        [("", "src/db/out")],
    ),
    "two configurations of one directory": (
        {"drizzle.config.ts": CONFIG, "drizzle.config.prod.ts": CONFIG, **below("drizzle", ONE)},
        [("", "drizzle")],
    ),
    "JSON": ({"drizzle.config.json": '{"dialect": "postgresql", "out": "db"}', **below("db", ONE)}, [("", "db")]),
    "a dialect that the program computes": (
        {"drizzle.config.ts": CONFIG.replace('"postgresql"', "dialect()"), **below("drizzle", ONE)}, [("", "drizzle")],
    ),
    "a journal without a configuration": (
        {"package.json": "{}", **below("src/migrations", ONE)}, [("", "src/migrations")],
    ),
}  # fmt: skip
SQLITE = {**ONE, "meta/_journal.json": journal(("0000_a", 1), dialect="sqlite")}
NOT_FOUND = {
    "SQLite": {"drizzle.config.ts": CONFIG.replace("postgresql", "sqlite"), **below("drizzle", SQLITE)},
    "a journal of SQLite": below("drizzle", SQLITE),
    "a dialect in a comment": {
        "drizzle.config.ts": '// dialect: "postgresql"\nexport default { dialect: "sqlite" }', **below("drizzle", SQLITE),
    },
    "no migrations yet": {"drizzle.config.ts": CONFIG},
    "a copy in node_modules": below("node_modules/x", {"drizzle.config.ts": CONFIG, **below("drizzle", ONE)}),
}  # fmt: skip


@pytest.mark.parametrize("case", FOUND)
def test_drizzle_is_found(case: str) -> None:
    files, expected = FOUND[case]
    units = detect(tree(files), Settings())
    assert [(u.system, u.root, u.migrations_dir) for u in units] == [("drizzle", *place) for place in expected]


@pytest.mark.parametrize("case", NOT_FOUND)
def test_what_only_looks_like_drizzle_is_left_alone(case: str) -> None:
    assert detect(tree(NOT_FOUND[case]), Settings()) == []


@pytest.mark.parametrize("name", ["drizzle", "drizzle_1"])
def test_the_example_projects_are_found(name: str) -> None:
    (unit,) = detect(tree_of(PROJECTS / name), Settings())
    assert (unit.system, unit.migrations_dir) == ("drizzle", "drizzle")


def test_prismas_folders_beside_a_drizzle_configuration_are_prismas() -> None:
    files = {
        "drizzle.config.ts": CONFIG.replace("./drizzle", "prisma/migrations"),
        "prisma/migrations/migration_lock.toml": 'provider = "postgresql"',
        **below("prisma/migrations", FOLDER),
    }
    assert [unit.system for unit in detect(tree(files), Settings())] == ["prisma"]


SHARED = {
    "supabase/config.toml": "",
    "drizzle.config.ts": CONFIG.replace("./drizzle", "supabase/migrations"),
    "supabase/migrations/20250101000000_a.sql": SQL,
    "supabase/migrations/meta/_journal.json": journal(("20250101000000_a", 1)),
}


def test_what_drizzle_writes_into_supabase_is_applied_by_supabase_alone() -> None:
    assert [unit.system for unit in detect(tree(SHARED), Settings())] == ["supabase"]


def test_unless_the_settings_name_drizzle() -> None:
    named = Settings(systems=(SystemSettings("drizzle"),))
    assert [unit.system for unit in detect(tree(SHARED), named)] == ["drizzle"]


def test_the_order_is_the_journals_not_that_of_the_names() -> None:
    files = project(("0001_b", 1), ("0000_a", 2))
    (unit,) = detect(tree(files), Settings())
    assert [migration.id for migration in drizzle.history(unit, tree(files))] == ["0001_b", "0000_a"]


def test_the_bookkeeping_is_where_the_configuration_puts_it() -> None:
    table = 'export default { dialect: "postgresql", migrations: { table: "done", schema: "public" } }'
    (unit,) = detect(tree(project(("0000_a", 1)) | {"drizzle.config.ts": table}), Settings())
    assert (drizzle.bookkeeping(unit).schema, drizzle.bookkeeping(unit).table) == ("public", "done")


@pytest.mark.parametrize(
    ("rows", "skipped"),
    [((), set()), (("10",), set()), (("10", "30"), {"0001_b"}), (("10", "20", "30"), set()), (("30",), {"0000_a", "0001_b"})],
)
def test_an_entry_that_is_not_younger_than_the_youngest_row_is_skipped(rows: tuple[str, ...], skipped: set[str]) -> None:
    files = project(("0000_a", 10), ("0002_c", 30), ("0001_b", 20))
    (unit,) = detect(tree(files), Settings())
    assert drizzle.skipped(unit, frozenset(rows), drizzle.history(unit, tree(files)), ()) == skipped


def test_rows_of_an_older_version_are_known_by_the_second_of_the_folders_name() -> None:
    files = {"drizzle.config.ts": CONFIG, "drizzle/20250101000000_a/migration.sql": SQL}
    (unit,) = detect(tree(files), Settings())
    history = drizzle.history(unit, tree(files))
    assert drizzle.applied(frozenset({"1735689600123"}), history) == {"20250101000000_a"}
    assert drizzle.applied(frozenset({"20250101000000_a"}), history) == {"20250101000000_a"}
    assert drizzle.unknown(frozenset({"1735689601000"}), history) == {"1735689601000"}


def test_a_new_date_in_the_journal_is_an_edit_of_its_migration() -> None:
    base, target = tree(project(("0000_a", 1), ("0001_b", 2))), tree(project(("0000_a", 1), ("0001_b", 3)))
    (unit,) = detect(target, Settings())
    work = work_for(unit, target, base, changes(base, target))
    assert [(edit.id, edit.what) for edit in work.edits] == [("0001_b", "edited")]


def test_a_configuration_that_is_json_is_replaced_by_one_with_our_address_alone() -> None:
    credentials = {"host": "production.example.com", "database": "shop"}
    config = {"dialect": "postgresql", "out": "drizzle", "driver": "pglite", "dbCredentials": credentials}
    files = project(("0000_a", 1)) | {"drizzle.config.json": json.dumps(config)}
    del files["drizzle.config.ts"]
    (unit,) = detect(tree(files), Settings())
    command = drizzle.apply(unit, ())
    assert isinstance(command, Command)
    written = json.loads(command.files["drizzle.config.json"])
    assert written == {"dialect": "postgresql", "out": "drizzle", "dbCredentials": {"url": "{url_with_password}"}}
