"""Sequelize: where its migrations are said to be, its bookkeeping, and what is not its own."""

from __future__ import annotations

import pytest

from neon_hooks.plan import Command
from neon_hooks.systems.sequelize import SYSTEM
from neon_hooks.tree import Tree

UP = "module.exports = { up: (queryInterface) => queryInterface.dropTable('x') };"
DEPENDENCY = '{"dependencies": {"sequelize": "6", "pg": "8"}}'
CONFIG = '{"production": {"dialect": "postgres"}}'


def found(files: dict[str, str]) -> list[tuple[str, str, str]]:
    units = SYSTEM.detect(Tree.of(files))
    return [(unit.root, unit.migrations_dir, unit.options["config"]) for unit in units]


def test_the_usual_places_need_no_word() -> None:
    files = {"api/package.json": DEPENDENCY, "api/config/config.json": CONFIG, "api/migrations/1-a.js": UP}
    assert found(files) == [("api", "api/migrations", "api/config/config.json")]


def test_sequelizerc_says_where_they_are() -> None:
    rc = """const path = require('path');
    module.exports = { 'config': path.resolve('src', 'config', 'database.js'),
                       'migrations-path': path.resolve(__dirname, 'src/database/migrations') };"""
    files = {
        "package.json": DEPENDENCY, ".sequelizerc": rc, "src/config/database.js": CONFIG,
        "src/database/migrations/1-a.js": UP, "migrations/1-old.js": UP,
    }  # fmt: skip
    assert found(files) == [("", "src/database/migrations", "src/config/database.js")]


def test_a_script_says_where_they_are() -> None:
    manifest = (
        '{"scripts": {"m": "npx sequelize-cli db:migrate --migrations-path db/steps'
        ' --config db/c.json --env ci"},'
        ' "dependencies": {"sequelize": "6"}}'
    )
    tree = Tree.of({"package.json": manifest, "db/c.json": CONFIG, "db/steps/1-a.js": UP})
    (unit,) = SYSTEM.detect(tree)
    assert (unit.migrations_dir, unit.options["config"]) == ("db/steps", "db/c.json")
    command = SYSTEM.apply(unit, ())
    assert isinstance(command, Command)
    assert command.argv[-1] == "db/steps" and command.environment["NEON_HOOKS_ENVIRONMENT"] == "ci"
    assert not any("url" in word or "password" in word for word in command.argv)


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": DEPENDENCY, "models/user.js": "sequelize.define"},
        {"migrations/1-a.js": UP},
        {"package.json": DEPENDENCY, "migrations/1-a.js": "exports.up = (knex) => knex"},
        {"package.json": DEPENDENCY, "migrations/1-a.js": UP, "config/config.json": '{"dialect": "mysql"}'},
        {"package.json": DEPENDENCY, "node_modules/x/migrations/1-a.js": UP},
    ],
)
def test_models_alone_other_tools_and_other_databases_are_no_hits(files: dict[str, str]) -> None:
    assert found(files) == []


def test_ids_are_file_names_and_declarations_are_no_migrations() -> None:
    names = ("10-b.js", "9-a.ts", "8-c.cjs", "7.d.ts", "x.mjs", "y.sql")
    files = {f"migrations/{name}": UP for name in names}
    tree = Tree.of({"package.json": DEPENDENCY, **files})
    (unit,) = SYSTEM.detect(tree)
    assert [migration.id for migration in SYSTEM.history(unit, tree)] == ["10-b.js", "8-c.cjs", "9-a.ts"]


def test_the_bookkeeping_has_capitals_unless_the_configuration_renames_it() -> None:
    renamed = """module.exports = {
      dialect: "postgres", migrationStorageTableName: "applied", migrationStorageTableSchema: "meta" };"""
    for text, expected in ((CONFIG, ("SequelizeMeta", None)), (renamed, ("applied", "meta"))):
        tree = Tree.of({"package.json": DEPENDENCY, "config/config.js": text, "migrations/1-a.js": UP})
        (unit,) = SYSTEM.detect(tree)
        assert SYSTEM.bookkeeping
        kept = SYSTEM.bookkeeping(unit)
        assert (kept.table, kept.schema) == expected
