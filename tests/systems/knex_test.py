"""Knex: where it is found, in which order it works, and whose configuration it gets."""

from __future__ import annotations

import pytest

from neon_hooks.plan import Command
from neon_hooks.systems.knex import SYSTEM
from neon_hooks.tree import Tree

UP = "exports.up = (knex) => knex.raw('select 1');"
KNEXFILE = 'module.exports = { client: "pg", connection: process.env.DATABASE_URL };'


def found(files: dict[str, str]) -> list[tuple[str, str]]:
    return [(unit.root, unit.migrations_dir) for unit in SYSTEM.detect(Tree.of(files))]


@pytest.mark.parametrize("name", ["knexfile.js", "knexfile.ts", "knexfile.cjs", "knexfile.mjs"])
def test_a_knexfile_with_migrations_is_a_hit_where_the_knexfile_lies(name: str) -> None:
    files = {f"server/{name}": KNEXFILE, "server/migrations/1_a.js": UP}
    assert found(files) == [("server", "server/migrations")]


@pytest.mark.parametrize(
    "files",
    [
        {"knexfile.js": KNEXFILE},  # a query builder
        {"package.json": '{"dependencies": {"knex": "3"}}', "src/db.js": "require('knex')"},
        {"knexfile.js": KNEXFILE.replace('"pg"', '"mysql2"'), "migrations/1.js": UP},
        {"knexfile.js": KNEXFILE.replace('"pg"', "'better-sqlite3'"), "migrations/1.js": UP},
        {"node_modules/x/knexfile.js": KNEXFILE, "node_modules/x/migrations/1.js": UP},
        {"package.json": '{"dependencies": {"knex": "3"}}', "migrations/1.js": "exports.up = (pgm) => {}"},
    ],
)
def test_a_query_builder_another_database_and_other_peoples_code_are_no_hits(files: dict[str, str]) -> None:
    assert found(files) == []


def test_one_postgres_among_several_environments_is_enough() -> None:
    text = 'module.exports = { test: { client: "sqlite3" }, production: { client: "postgresql" } };'
    assert found({"knexfile.js": text, "migrations/1.js": UP}) == [("", "migrations")]


def test_a_program_that_starts_knex_itself_is_a_hit_by_its_migrations() -> None:
    files = {
        "api/package.json": '{"dependencies": {"knex": "3", "pg": "8"}}',
        "api/src/db/migrations/1_a.ts": "import { Knex } from 'knex';\nexport async function up(k: Knex) {}",
    }
    assert found(files) == [("api", "api/src/db/migrations")]


def test_of_several_directories_the_outermost_is_taken_where_nothing_is_said() -> None:
    up = "exports.up = (knex) => knex.raw('select 1');"
    files = {"knexfile.js": KNEXFILE, "db/beta/migrations/1.js": up, "db/migrations/2.js": up}
    assert found(files) == [("", "db/migrations")]


def test_directories_table_and_schema_are_the_knexfiles_not_those_of_its_seeds() -> None:
    text = """
    import path from "path";
    export default { client: "pg", seeds: { directory: "seeds" }, production: { migrations: {
      directory: [path.join(__dirname, "db", "one"), "./db/two"],
      tableName: "applied", schemaName: "meta" } } };
    """
    others = {"db/two/x.d.ts": "", "db/two/n.md": ""}
    tree = Tree.of({"knexfile.ts": text, "db/one/2_b.ts": UP, "db/two/1_a.ts": UP, **others})
    (unit,) = SYSTEM.detect(tree)
    # All directories in one order, by name; the extension is part of the id.
    assert [migration.id for migration in SYSTEM.history(unit, tree)] == ["1_a.ts", "2_b.ts"]
    assert SYSTEM.bookkeeping
    kept = SYSTEM.bookkeeping(unit)
    assert (kept.table, kept.schema, kept.id_sql) == ("applied", "meta", "name")


def test_the_order_is_that_of_the_names_not_of_the_numbers() -> None:
    tree = Tree.of({"knexfile.js": KNEXFILE, "migrations/10_b.js": UP, "migrations/9_a.js": UP})
    (unit,) = SYSTEM.detect(tree)
    assert [migration.id for migration in SYSTEM.history(unit, tree)] == ["10_b.js", "9_a.js"]


def test_the_command_gets_a_knexfile_of_ours_and_no_address_on_its_line() -> None:
    manifest = '{"scripts": {"migrate": "knex migrate:latest --env staging"}}'
    tree = Tree.of({"package.json": manifest, "knexfile.js": KNEXFILE, "migrations/1.js": UP})
    (unit,) = SYSTEM.detect(tree)
    command = SYSTEM.apply(unit, ())
    assert isinstance(command, Command)
    assert command.argv == ("knex", "migrate:latest", "--knexfile", "{files}/knexfile.cjs")
    assert command.environment["NEON_HOOKS_ENVIRONMENT"] == "staging"
    assert command.environment["NEON_HOOKS_KNEXFILE"] == "{checkout}/knexfile.js"
