"""TypeORM: classes and their names, data sources, and what is not TypeORM."""

from __future__ import annotations

import pytest

from neon_hooks.systems.typeorm import SYSTEM
from neon_hooks.tree import Tree

DEPENDENCY = '{"dependencies": {"typeorm": "0.3"}}'


def migration(name: str, body: str = "") -> str:
    return f"""
    import {{ MigrationInterface, QueryRunner }} from "typeorm";
    export class {name} implements MigrationInterface {{
      {body}
      public async up(queryRunner: QueryRunner): Promise<void> {{}}
      public async down(queryRunner: QueryRunner): Promise<void> {{}}
    }}
    """


def source(migrations: str, rest: str = "") -> str:
    return f'export const s = new DataSource({{ type: "postgres", {rest} migrations: {migrations} }});'


def found(files: dict[str, str]) -> list[tuple[str, str, str]]:
    units = SYSTEM.detect(Tree.of(files))
    return [(unit.root, unit.migrations_dir, unit.options["source"]) for unit in units]


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": DEPENDENCY, "src/entity.ts": "@Entity() export class User {}"},
        {"migrations/1767225600000-A.ts": migration("A1767225600000")},  # nobody depends on typeorm
        {"package.json": DEPENDENCY, "migrations/1.ts": "export async function up(knex) {}"},
        {
            "package.json": DEPENDENCY, "migrations/1767225600000-A.ts": migration("A1767225600000"),
            "data-source.ts": source('["migrations/*.ts"]').replace("postgres", "mysql"),
        },
        {"package.json": DEPENDENCY, "dist/migrations/1767225600000-A.js": migration("A1767225600000")},
    ],
)  # fmt: skip
def test_entities_other_tools_other_databases_and_builds_are_no_hits(files: dict[str, str]) -> None:
    assert found(files) == []


def test_the_data_source_that_names_the_directory_is_taken() -> None:
    files = {
        "api/package.json": DEPENDENCY,
        "api/src/analytics.source.ts": source('["src/analytics/migrations/*.ts"]'),
        "api/src/main.source.ts": source('[__dirname + "/main/migrations/*{.ts,.js}"]'),
        "api/src/main/migrations/1767225600000-A.ts": migration("A1767225600000"),
        "api/src/analytics/migrations/1767225600001-B.ts": migration("B1767225600001"),
    }
    assert sorted(found(files)) == [
        ("api", "api/src/analytics/migrations", "api/src/analytics.source.ts"),
        ("api", "api/src/main/migrations", "api/src/main.source.ts"),
    ]


def test_several_directories_of_one_data_source_are_one_unit() -> None:
    tree = Tree.of({
        "package.json": DEPENDENCY, "src/data-source.ts": source('["src/**/migrations/*.ts"]'),
        "src/b/migrations/1767225600000-A.ts": migration("A1767225600000"),
        "src/a/migrations/1767225600001-B.ts": migration("B1767225600001"),
    })  # fmt: skip
    (unit,) = SYSTEM.detect(tree)
    assert [m.id for m in SYSTEM.history(unit, tree)] == ["A1767225600000", "B1767225600001"]


def test_a_script_says_which_data_source_it_is() -> None:
    manifest = (
        '{"scripts": {"typeorm": "typeorm-ts-node-commonjs -d ./src/cli.ts"},'
        ' "dependencies": {"typeorm": "1"}}'
    )
    files = {
        "package.json": manifest, "src/cli.ts": source("[]"), "src/app-source.ts": source("[]"),
        "src/migrations/1767225600000-A.ts": migration("A1767225600000"),
    }  # fmt: skip
    assert found(files) == [("", "src/migrations", "src/cli.ts")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (migration("A1767225600000"), ["A1767225600000"]),
        (migration("A1767225600000", 'name = "B1767225600001";'), ["B1767225600001"]),
        (migration("A1767225600000", "public readonly name: string = 'B1767225600001'"), ["B1767225600001"]),
        ("module.exports = class A1767225600000 { async up(queryRunner) {} }", ["A1767225600000"]),
        (migration("A1767225600000") + migration("B1767225600001"), ["A1767225600000", "B1767225600001"]),
        ("// class X1767225600000 implements MigrationInterface", []),
        ("class Helper {}\n" + migration("A1767225600000"), ["A1767225600000"]),
    ],
)
def test_a_migration_is_called_as_its_class_or_its_name_says(text: str, expected: list[str]) -> None:
    first = {"migrations/0-z.ts": migration("Z1700000000000")}
    tree = Tree.of({"package.json": DEPENDENCY, "migrations/1-a.ts": text, **first})
    (unit,) = SYSTEM.detect(tree)
    assert [m.id for m in SYSTEM.history(unit, tree)] == ["Z1700000000000", *expected]


def test_table_and_schema_are_the_data_sources() -> None:
    rest = 'schema: "shop", migrationsTableName: "applied",'
    tree = Tree.of({
        "package.json": DEPENDENCY, "db/data-source.ts": source('["db/migrations/*"]', rest),
        "db/migrations/1-a.ts": migration("A1767225600000"),
    })  # fmt: skip
    (unit,) = SYSTEM.detect(tree)
    assert SYSTEM.bookkeeping
    kept = SYSTEM.bookkeeping(unit)
    assert (kept.table, kept.schema) == ("applied", "shop")
