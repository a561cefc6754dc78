"""Kysely: a query builder until there are migrations, with or without kysely-ctl."""

from __future__ import annotations

import pytest

from neon_hooks.errors import UsageError
from neon_hooks.plan import Command
from neon_hooks.systems import knex, kysely
from neon_hooks.systems.base import System
from neon_hooks.tree import Tree

DEPENDENCY = '{"dependencies": {"kysely": "0.28", "pg": "8"}}'
UP = "import { Kysely } from 'kysely';\nexport async function up(db: Kysely<any>) {}"
CONFIG = """
export default defineConfig({
  dialect: new PostgresDialect({}), migrations: { migrationFolder: "db/steps" },
});
"""


def found(files: dict[str, str]) -> list[tuple[str, str, str]]:
    units = kysely.SYSTEM.detect(Tree.of(files))
    return [(unit.root, unit.migrations_dir, unit.options["config"]) for unit in units]


@pytest.mark.parametrize("name", ["kysely.config.ts", ".config/kysely.config.ts", "kysely.config.mjs"])
def test_a_configuration_with_migrations_is_a_hit(name: str) -> None:
    files = {"package.json": DEPENDENCY, f"api/{name}": CONFIG, "api/db/steps/1_a.ts": UP}
    assert found(files) == [("api", "api/db/steps", f"api/{name}")]


def test_migrations_without_a_configuration_are_a_hit_and_run_with_kyselys_own_migrator() -> None:
    tree = Tree.of({"package.json": DEPENDENCY, "src/migrations/1_a.ts": UP})
    (unit,) = kysely.SYSTEM.detect(tree)
    command = kysely.SYSTEM.apply(unit, ())
    assert isinstance(command, Command)
    assert command.argv == ("node", "{files}/neon_hooks_kysely.cjs")


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": DEPENDENCY, "src/db.ts": "new Kysely()"},  # on another tool's tables
        {"package.json": DEPENDENCY, "kysely.config.ts": CONFIG},
        {"package.json": DEPENDENCY.replace('"pg"', '"better-sqlite3"'), "src/migrations/1_a.ts": UP},
        {
            "package.json": DEPENDENCY, "kysely.config.ts": CONFIG.replace("Postgres", "Sqlite"),
            "db/steps/1_a.ts": UP,
        },
        {"package.json": DEPENDENCY, "migrations/1.ts": "export async function up(knex) {}"},
    ],
)
def test_a_query_builder_and_other_databases_are_no_hits(files: dict[str, str]) -> None:
    assert found(files) == []


def test_ids_have_no_extension_and_helpers_are_no_migrations() -> None:
    files = {"db/steps/10_b.ts": UP, "db/steps/9_a.ts": UP, "db/steps/helpers.ts": "export const x = 1"}
    tree = Tree.of({"package.json": DEPENDENCY, "kysely.config.ts": CONFIG, **files})
    (unit,) = kysely.SYSTEM.detect(tree)
    assert [migration.id for migration in kysely.SYSTEM.history(unit, tree)] == ["10_b", "9_a"]


@pytest.mark.parametrize(
    ("system", "package", "up"),
    [(kysely.SYSTEM, "kysely", UP), (knex.SYSTEM, "knex", UP.replace("ysely", "nex"))],
)
def test_a_program_of_the_projects_own_among_the_migrations_is_asked_for(
    system: System, package: str, up: str
) -> None:
    tree = Tree.of({
        "package.json": DEPENDENCY.replace("kysely", package), "src/migrations/1_a.ts": up,
        "src/migrations/run.ts": "export default async function run() {}",
    })  # fmt: skip
    (unit,) = system.detect(tree)
    with pytest.raises(UsageError) as caught:
        system.apply(unit, ())
    assert "src/migrations/run.ts" in caught.value.message and "command" in caught.value.fix
