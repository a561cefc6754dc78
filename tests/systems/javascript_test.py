"""The real tools in the languages, places and configurations that projects use, on a real Postgres."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from neon_hooks.systems import by_name
from tests.fix_systems import Postgres, Project, tables, tree_of
from tests.fix_tools import node_modules

Start = Callable[[Mapping[str, str]], Project]
ONE = "create table customers (id int)"


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Call it with the files of a project; the tools are installed for it."""

    def make(files: Mapping[str, str]) -> Project:
        path = tmp_path / "shop"
        path.mkdir()
        (path / "node_modules").symlink_to(node_modules("javascript"))
        made = Project(path, Path())
        made.write(files)
        return made

    return make


def manifest(*packages: str, module: bool = False, script: str = "") -> str:
    names = ", ".join(f'"{name}": "*"' for name in packages)
    kind = '"type": "module", ' if module else ""
    return f'{{{kind}"scripts": {{"migrate": "{script}"}}, "dependencies": {{{names}}}}}'


KNEX_TS = f"""
import type {{ Knex }} from "knex";
export async function up(knex: Knex): Promise<void> {{ await knex.raw("{ONE}"); }}
export async function down(): Promise<void> {{}}
"""
KNEXFILE_ASYNC = """
module.exports = async () => ({
  client: "pg", connection: async () => ({ host: "production.example.com" }), pool: { min: 0 },
});
"""
KNEX_JS = f"exports.up = (knex) => knex.raw('{ONE}'); exports.down = () => {{}};"
KNEXFILE_TS = """
import type { Knex } from "knex";
const config: Record<string, Knex.Config> = {
  development: { client: "better-sqlite3", connection: { filename: "x" } },
  production: {
    client: "pg", connection: { host: "production.example.com" }, migrations: { directory: "./steps" },
  },
};
export default config;
"""
TYPEORM_TS = f"""
import {{ MigrationInterface, QueryRunner }} from "typeorm";
export class First1767225600000 implements MigrationInterface {{
  name = "First1767225600000";
  public async up(queryRunner: QueryRunner): Promise<void> {{ await queryRunner.query("{ONE}"); }}
  public async down(): Promise<void> {{}}
}}
"""
SOURCE_TS = """
import { DataSource } from "typeorm";
const place: { host: string } = { host: "production.example.com" };
export default new DataSource({
  type: "postgres", ...place, synchronize: true, dropSchema: true, migrationsTableName: "applied",
  migrations: [__dirname + "/../dist/migrations/*.js"],
});
"""
ENTITIES_TS = """
import "reflect-metadata";
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from "typeorm";
@Entity() class Customer {
  @PrimaryGeneratedColumn() id: number;
  @Column() email: string;
}
export const source = new DataSource({
  type: "postgres", entities: [Customer], migrations: ["migrations/*.ts"],
});
"""
SEQUELIZE_TS = f"""
import {{ QueryInterface }} from "sequelize";
export default {{}};
export const up = (queryInterface: QueryInterface) => queryInterface.sequelize.query("{ONE}");
"""
SEQUELIZE_RC = """
const path = require("path");
module.exports = {
  config: path.resolve("db", "settings.json"),
  "migrations-path": path.resolve("db", "steps"),
};
"""
SEQUELIZE_JSON = """
{"development": {"dialect": "mysql", "host": "x"},
 "production": {
   "use_env_variable": "PROD_URL", "dialect": "postgres", "migrationStorageTableName": "applied"}}
"""
SEQUELIZE_JS = f"exports.up = (queryInterface) => queryInterface.sequelize.query('{ONE}');"
MIKRO_TS = f"""
import {{ Migration }} from "@mikro-orm/migrations";
export class Migration20260101000000 extends Migration {{
  override async up(): Promise<void> {{ this.addSql("{ONE}"); }}
}}
"""
MIKRO_CONFIG_TS = """
import { Migrator } from "@mikro-orm/migrations";
import { defineConfig } from "@mikro-orm/postgresql";
const options: { dbName: string; host: string } = { dbName: "shop", host: "production.example.com" };
export default defineConfig({
  ...options, extensions: [Migrator], discovery: { warnWhenNoEntities: false },
  driverOptions: { connection: { host: "production.example.com" } },
  migrations: { path: "dist/migrations", pathTs: "src/migrations", tableName: "applied" },
});
"""
KYSELY_TS = f"""
import {{ sql, type Kysely }} from "kysely";
export async function up(db: Kysely<any>) {{ await sql`{ONE}`.execute(db); }}
"""
NODE_PG_TS = f"""
import type {{ MigrationBuilder }} from "node-pg-migrate";
export const up = (pgm: MigrationBuilder) => {{ pgm.sql("{ONE}"); }};
"""
NODE_PG_JSON = """
{"db": {"migrations-dir": "db/steps", "migrations-table": "applied",
        "url": "postgresql://u@production.example.com/x"}}
"""
DECORATORS = """
{"compilerOptions": {"module": "esnext", "experimentalDecorators": true, "emitDecoratorMetadata": true}}
"""
MIKRO = ("@mikro-orm/core", "@mikro-orm/migrations", "@mikro-orm/postgresql", "@mikro-orm/cli")

PROJECTS: Mapping[str, Mapping[str, str]] = {
    "knex in TypeScript": {
        "package.json": manifest("knex", "pg"), "db/knexfile.ts": KNEXFILE_TS, "db/steps/1_a.ts": KNEX_TS,
    },
    "knex in modules": {
        "package.json": manifest("knex", "pg", module=True), "db/knexfile.ts": KNEXFILE_TS,
        "db/steps/1_a.ts": KNEX_TS,
    },
    "knex without a knexfile": {
        "package.json": manifest("knex", "pg"), "src/db/migrations/1_a.ts": KNEX_TS,
    },
    "knex with a function": {
        "package.json": manifest("knex", "pg"), "knexfile.js": KNEXFILE_ASYNC, "migrations/1_a.js": KNEX_JS,
    },
    "knex, compiled in production": {
        "package.json": manifest("knex", "pg"), "src/migrations/1_a.ts": KNEX_TS,
        "knexfile.js": "module.exports = { client: 'pg', migrations: { directory: './dist/migrations' } };",
    },
    "kysely with a configuration in .config": {
        "package.json": manifest("kysely", "kysely-ctl", "pg"), "migrations/1_a.ts": KYSELY_TS,
        ".config/kysely.config.ts": "export default { dialect: 'pg', dialectConfig: {} };",
    },
    "typeorm in TypeScript, compiled in production": {
        "package.json": manifest("typeorm", "pg"), "src/data-source.ts": SOURCE_TS,
        "src/migrations/1767225600000-First.ts": TYPEORM_TS,
    },
    "typeorm with entities that tell their types by decorators": {
        "package.json": manifest("typeorm", "pg"), "data-source.ts": ENTITIES_TS, "tsconfig.json": DECORATORS,
        "migrations/1767225600000-First.ts": TYPEORM_TS,
    },
    "typeorm without a data source": {
        "package.json": manifest("typeorm", "pg"), "src/migrations/1767225600000-First.ts": TYPEORM_TS,
    },
    "sequelize in TypeScript": {
        "package.json": manifest("sequelize", "sequelize-cli"), "migrations/1-a.ts": SEQUELIZE_TS,
    },
    "sequelize with .sequelizerc and JSON": {
        "package.json": manifest("sequelize", "sequelize-cli"),
        ".sequelizerc": SEQUELIZE_RC, "db/settings.json": SEQUELIZE_JSON, "db/steps/1-a.js": SEQUELIZE_JS,
    },
    "mikro-orm in TypeScript, compiled in production": {
        # Without one MikroORM's command gives up where ts-node is installed.
        "tsconfig.json": '{"compilerOptions": {"target": "es2022", "module": "commonjs"}}',
        "package.json": manifest(*MIKRO), "src/mikro-orm.config.ts": MIKRO_CONFIG_TS,
        "src/migrations/Migration20260101000000.ts": MIKRO_TS,
    },
    "kysely without kysely-ctl": {
        "package.json": manifest("kysely", "pg"), "src/migrations/1_a.ts": KYSELY_TS,
    },
    "node-pg-migrate in TypeScript, with a pattern and a table of its own": {
        "package.json": manifest(
            "node-pg-migrate", script="node-pg-migrate --use-glob -m 'db/**/*.ts' -t applied -d PRIMARY"
        ),
        "db/core/1_a.ts": NODE_PG_TS,
    },
    "node-pg-migrate with a JSON configuration": {
        "package.json": manifest("node-pg-migrate", script="node-pg-migrate -f db.json up"),
        "db.json": NODE_PG_JSON, "db/steps/1_a.sql": ONE,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", PROJECTS)
def test_every_migration_is_applied_on_the_test_database_and_recorded(
    name: str, start: Start, postgres: Postgres
) -> None:
    shop = start(PROJECTS[name])
    before = {path for path in shop.path.rglob("*")}
    database = postgres.database()
    run = shop.run(database)
    assert run.exit_code == 0, run.output
    assert run.redirected and run.connections
    assert "customers" in tables(database)
    assert shop.rows(database) == {migration.id for migration in shop.work().history} != set()
    assert "production.example.com" not in run.output
    assert {path for path in shop.path.rglob("*")} == before


def test_kysely_ctl_passes_over_javascript_and_says_0_which_proves_nothing(
    start: Start, postgres: Postgres
) -> None:
    shop = start({
        "package.json": manifest("kysely", "pg"), "migrations/1_a.js": f"exports.up = (db) => db;  // {ONE}",
        "kysely.config.ts": "export default { dialect: 'pg', dialectConfig: { pool: {} } };",
    })  # fmt: skip
    database = postgres.database()
    assert shop.run(database).exit_code == 0
    history = by_name("kysely").history(shop.unit, tree_of(shop.path))
    proof = by_name("kysely").prove(frozenset(), shop.rows(database), history, history)
    assert proof.missing == {"1_a"}


def test_a_lock_that_production_has_left_in_knex_is_copied_and_told(start: Start, postgres: Postgres) -> None:
    shop = start(PROJECTS["knex in TypeScript"])
    database = postgres.database(
        "create table knex_migrations_lock (index serial primary key, is_locked int);"
        "insert into knex_migrations_lock (is_locked) values (1)"
    )
    run = shop.run(database)
    assert run.exit_code == 1
    assert "Migration table is already locked" in run.output


def test_typeorm_never_synchronizes_whatever_the_data_source_says(start: Start, postgres: Postgres) -> None:
    shop = start(PROJECTS["typeorm in TypeScript, compiled in production"])
    database = postgres.database("create table precious (id int)")
    assert shop.run(database).exit_code == 0
    assert tables(database) == {"precious", "customers", "applied"}
