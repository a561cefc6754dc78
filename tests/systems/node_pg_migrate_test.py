"""node-pg-migrate: what scripts and configurations say about it, its order, and its SQL files."""

from __future__ import annotations

import pytest

from neon_hooks.plan import Command
from neon_hooks.systems.node_pg_migrate import SYSTEM
from neon_hooks.tree import Tree
from tests.fix_systems import Postgres, query

PGM = "exports.up = (pgm) => { pgm.sql('select 1'); };"
DEPENDENCY = '{"dependencies": {"node-pg-migrate": "9"}}'


def script(line: str) -> str:
    return f'{{"scripts": {{"migrate": "{line}"}}, "devDependencies": {{"node-pg-migrate": "9"}}}}'


def found(files: dict[str, str]) -> list[tuple[str, str]]:
    return [(unit.root, unit.migrations_dir) for unit in SYSTEM.detect(Tree.of(files))]


@pytest.mark.parametrize(
    ("files", "directory"),
    [
        ({"package.json": DEPENDENCY, "migrations/1_a.js": PGM}, "migrations"),
        ({"package.json": script("node-pg-migrate -m db/steps up"), "db/steps/1_a.sql": ""}, "db/steps"),
        ({"package.json": script("node-pg-migrate --migrations-dir=./steps"), "steps/1_a.ts": PGM}, "steps"),
        (
            {
                "package.json": script("node-pg-migrate up"), "sql/1.sql": "",
                "config/default.json": '{"db": {"migrations-dir": "sql"}}',
            },
            "sql",
        ),
        # A program that uses the package as a library keeps them anywhere.
        ({"package.json": DEPENDENCY, "infra/migrations/1_a.js": PGM}, "infra/migrations"),
    ],
)  # fmt: skip
def test_the_migrations_are_where_it_is_said(files: dict[str, str], directory: str) -> None:
    assert found(files) == [("", directory)]


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": DEPENDENCY},
        {"package.json": DEPENDENCY, "src/migrations/1_a.js": "exports.up = (knex) => 1"},
        {"package.json": DEPENDENCY, "migrations/1_a.js": "exports.up = (knex) => 1"},
        {"package.json": '{"description": "like node-pg-migrate"}', "migrations/1_a.js": PGM},
        {"package.json": DEPENDENCY, "migrations/README.md": "pgm"},
    ],
)
def test_a_dependency_alone_and_other_tools_files_are_no_hits(files: dict[str, str]) -> None:
    assert found(files) == []


def test_the_order_is_that_of_the_numbers_and_ids_have_no_extension() -> None:
    names = [
        "20200101000000000_utc.js", "1577836800001_later.js", "1577836799999_sooner.ts",
        "10_b.sql", "9_a.sql", "9_A10.sql", "9_A9.sql",
    ]  # fmt: skip
    tree = Tree.of({"package.json": DEPENDENCY, **{f"migrations/{name}": PGM for name in names}})
    (unit,) = SYSTEM.detect(tree)
    ordered = [migration.id for migration in SYSTEM.history(unit, tree)]
    assert [id for id in ordered if not id.startswith("9_")] == [
        "10_b", "1577836799999_sooner", "20200101000000000_utc", "1577836800001_later",
    ]  # fmt: skip
    assert ordered.index("9_A9") < ordered.index("9_A10") < ordered.index("10_b")


def test_the_options_of_the_script_are_handed_on_and_the_address_is_not_among_them() -> None:
    line = "node-pg-migrate up -d PRIMARY_URL -t applied --migrations-schema meta --no-check-order --fake"
    tree = Tree.of({"package.json": script(line), "migrations/1_a.js": PGM})
    (unit,) = SYSTEM.detect(tree)
    command = SYSTEM.apply(unit, ())
    assert isinstance(command, Command)
    assert command.argv == (
        "node-pg-migrate", "up", "--migrations-dir", "migrations", "--database-url-var", "PRIMARY_URL",
        "--migrations-table", "applied", "--migrations-schema", "meta", "--no-check-order",
    )  # fmt: skip
    assert command.environment == {"PRIMARY_URL": "{url_with_password}"}
    assert SYSTEM.bookkeeping
    kept = SYSTEM.bookkeeping(unit)
    assert (kept.table, kept.schema) == ("applied", "meta")


@pytest.mark.parametrize(
    ("text", "up", "offset"),
    [
        ("select 1;", "select 1;", 0),
        ("-- Up Migration\nselect 1;\n-- Down Migration\nselect 2;", "-- Up Migration\nselect 1;\n", 0),
        ("-- a word\n--- UP MIGRATION\nselect 1;", "--- UP MIGRATION\nselect 1;", 1),
        ("-- Down Migration\nselect 2;\n-- Up Migration\nselect 1;", "-- Up Migration\nselect 1;", 2),
    ],
)
def test_only_the_part_that_goes_up_is_replayed(text: str, up: str, offset: int) -> None:
    tree = Tree.of({"package.json": DEPENDENCY, "migrations/1_a.sql": text, "migrations/2_b.js": PGM})
    (unit,) = SYSTEM.detect(tree)
    assert SYSTEM.replay
    (replayed,) = SYSTEM.replay(unit, tree, SYSTEM.history(unit, tree))
    assert (replayed.sql.strip(), replayed.offset) == (up.strip(), offset)


def test_what_is_replayed_is_recorded_as_the_tool_does(postgres: Postgres) -> None:
    tree = Tree.of({"package.json": DEPENDENCY, "migrations/1_it's.sql": "select 1"})
    (unit,) = SYSTEM.detect(tree)
    assert SYSTEM.replay
    (replayed,) = SYSTEM.replay(unit, tree, SYSTEM.history(unit, tree))
    database = postgres.database(f"{replayed.setup}; {replayed.setup}; {replayed.record}")
    assert query(database, "select id, name, run_on is null from pgmigrations") == [(1, "1_it's", False)]


def test_comments_and_layout_are_no_edit_in_either_language() -> None:
    assert SYSTEM.same(b"select 1; -- one", b"-- two\nselect 1;")
    assert SYSTEM.same(PGM.encode(), b"// x\n" + PGM.encode())
    assert not SYSTEM.same(b"select 1;", b"select 2;")
    code = "exports.up = (pgm) => pgm.sql(`select 1 -- {}`)"
    assert not SYSTEM.same(code.format("a").encode(), code.format("b").encode())
