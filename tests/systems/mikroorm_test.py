"""MikroORM: configurations and classes, ids of old and new versions."""

from __future__ import annotations

import pytest

from neon_hooks.systems.mikroorm import SYSTEM
from neon_hooks.tree import Tree
from tests.fix_systems import Postgres, query

DEPENDENCY = '{"dependencies": {"@mikro-orm/migrations": "6", "@mikro-orm/postgresql": "6"}}'
MIGRATION = "export class Migration1 extends Migration { async up() {} }"


def found(files: dict[str, str]) -> list[tuple[str, str, str]]:
    units = SYSTEM.detect(Tree.of(files))
    return [(unit.root, unit.migrations_dir, unit.options["config"]) for unit in units]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"src/mikro-orm.config.ts": ""}, "src/mikro-orm.config.ts"),
        ({"mikro-orm.config.dev.js": ""}, "mikro-orm.config.dev.js"),
        ({"src/orm.config.ts": ""}, "src/orm.config.ts"),
        ({}, ""),
    ],
)
def test_the_configuration_is_found_by_its_name(files: dict[str, str], expected: str) -> None:
    files = {"package.json": DEPENDENCY, "src/migrations/Migration1.ts": MIGRATION, **files}
    assert found(files) == [("", "src/migrations", expected)]


def test_package_json_names_the_configuration_and_that_the_sources() -> None:
    paths = '["./db/settings.ts", "./dist/db/settings.js"]'
    manifest = DEPENDENCY[:-1] + f', "mikro-orm": {{"configPaths": {paths}}}}}'
    said = 'path: "dist/steps", pathTs: "./db/steps", tableName: "applied"'
    text = f"export default {{ migrations: {{ {said} }} }};"
    tree = Tree.of({
        "package.json": manifest, "db/settings.ts": text, "db/steps/Migration1.ts": MIGRATION,
        "old/migrations/Migration0.ts": MIGRATION,
    })  # fmt: skip
    (unit,) = SYSTEM.detect(tree)
    assert (unit.migrations_dir, unit.options["config"]) == ("db/steps", "db/settings.ts")
    assert SYSTEM.bookkeeping
    assert SYSTEM.bookkeeping(unit).table == "applied"


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": DEPENDENCY, "src/mikro-orm.config.ts": ""},
        {"package.json": DEPENDENCY.replace("postgresql", "mysql"), "migrations/Migration1.ts": MIGRATION},
        {"package.json": DEPENDENCY, "migrations/1.ts": "export class A1 implements MigrationInterface {}"},
        {"migrations/Migration1.ts": MIGRATION},
    ],
)
def test_no_migrations_another_database_and_another_tool_are_no_hits(files: dict[str, str]) -> None:
    assert found(files) == []


def test_every_package_of_a_monorepo_has_its_own_and_the_outer_one_takes_none_of_them() -> None:
    files = {"package.json": DEPENDENCY}
    for name in ("cart", "order"):
        files[f"modules/{name}/package.json"] = DEPENDENCY
        files[f"modules/{name}/src/migrations/Migration1.ts"] = MIGRATION
    assert sorted(root for root, _, _ in found(files)) == ["modules/cart", "modules/order"]


def test_an_id_has_no_extension_also_where_an_old_version_wrote_one(postgres: Postgres) -> None:
    tree = Tree.of({
        "package.json": DEPENDENCY, "migrations/Migration1.ts": MIGRATION,
        "migrations/Migration2.js": MIGRATION, "migrations/.snapshot-shop.json": "",
    })  # fmt: skip
    (unit,) = SYSTEM.detect(tree)
    ids = [migration.id for migration in SYSTEM.history(unit, tree)]
    assert SYSTEM.bookkeeping
    database = postgres.database(
        "create table mikro_orm_migrations (name text);"
        "insert into mikro_orm_migrations values ('Migration1.ts'), ('Migration2')"
    )
    rows = query(database, f"select {SYSTEM.bookkeeping(unit).id_sql} from mikro_orm_migrations order by 1")
    assert [row[0] for row in rows] == ids == ["Migration1", "Migration2"]
