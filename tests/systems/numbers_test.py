"""For every system that orders by a number: one that is taken, one that comes too late, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from neon_hooks.changes import Range
from neon_hooks.checks import missing_down, numbers
from neon_hooks.facts import Facts, UnitFacts
from neon_hooks.settings import Settings
from neon_hooks.systems import SYSTEMS, detect, work_for
from tests.fix_systems import PROJECTS, changes, tree
from tests.systems.other_frameworks_test import ECTO, EFCORE, LARAVEL

Files = Mapping[str, str]


def example(name: str) -> Files:
    files = (path for path in Path(PROJECTS / name).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(PROJECTS / name).as_posix(): path.read_text() for path in files}


def rules(base: Files, pushed: Files) -> set[str]:
    """What is found when ``pushed`` comes on top of ``base``."""
    before, after = tree(base), tree({**base, **pushed})
    (unit,) = detect(after, Settings())
    facts = Facts(Range("b", "t", "test"), (UnitFacts(work_for(unit, after, before, changes(before, after))),))
    return {finding.rule for check in (numbers.check, missing_down.check) for finding in check(facts)}


GOOSE = "-- +goose Up\nSELECT 1;\n\n-- +goose Down\nSELECT 2;\n"
GOOSE_UP = "-- +goose Up\nSELECT 1;\n\n-- +goose Down\n-- +goose StatementBegin\n-- +goose StatementEnd\n"
DBMATE = "-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n"
RUBY = "class X < ActiveRecord::Migration[6.1]\n  def {}\n    execute 'SELECT 1'\n  end\n{}end\n"
JS = "exports.up = (x) => x.one();\nexports.down = {};\n"
TYPEORM = "module.exports = class {} {{\n  async up(queryRunner) {{ await one(); }}\n  async down(queryRunner) {{{}}}\n}};\n"
MIKRO = "class {0} extends Migration {{\n  async up() {{ this.addSql(`x`); }}\n{1}}}\nmodule.exports = {{ {0} }};\n"
KYSELY = "export async function up(db: Kysely<any>): Promise<void> {{ await one(); }}\n{}"
KYSELY_DOWN = "export async function down(db: Kysely<any>): Promise<void> {{{}}}\n"
ELIXIR = "defmodule M do\n  use Ecto.Migration\n  def {} do\n  end\nend\n"
PHP = "<?php\nreturn new class extends Migration {{\n    public function up(): void {{ one(); }}\n{}}};\n"
PHP_DOWN = "    public function down(): void\n    {{{}}}\n"
CSHARP = "protected override void Up(MigrationBuilder b)\n{{ one(); }}\nprotected override void Down(MigrationBuilder b)\n{{{}}}\n"
FLYWAY: Files = {**example("flyway"), "sql/U1__create_customers.sql": "SELECT 2;", "sql/U1_1__nickname.sql": "SELECT 2;"}
SQLX: Files = {
    "Cargo.toml": '[dependencies]\nsqlx = { version = "0.8", features = ["postgres"] }\n',
    **{f"migrations/{n}_x.{way}.sql": "SELECT 1;" for n in (1, 2) for way in ("up", "down")},
}
ATLAS: Files = {
    "atlas.hcl": "", "migrations/atlas.sum": "h1:", "migrations/20240101_a.sql": "SELECT 1;",
    "migrations/20240201_b.sql": "SELECT 1;",
}  # fmt: skip
ECTO_MIGRATIONS: Files = {
    **ECTO, **{path: ELIXIR.format("change") for path in ECTO if path.endswith(".exs") and "2026" in path},
}  # fmt: skip
LARAVEL_MIGRATIONS: Files = {
    **LARAVEL, **{path: PHP.format(PHP_DOWN.format(" one(); ")) for path in LARAVEL if path.endswith(".php") and "2026" in path},
}  # fmt: skip
EFCORE_MIGRATIONS: Files = {
    **EFCORE, "src/Shop/Data/Migrations/20260101000000_Initial.cs": CSHARP.format(" one(); "),
}  # fmt: skip
DOWN = "missing-down"
LATE, TAKEN = "out-of-order", "duplicate-number"

# What each push brings on top of an example project, and what is found.
CASES: Mapping[str, tuple[Files, Files, set[str]]] = {
    "goose, next": (example("goose"), {"migrations/00003_c.sql": GOOSE}, set()),
    "goose, late": (example("goose"), {"migrations/0_c.sql": GOOSE}, {LATE}),
    "goose, taken": (example("goose"), {"migrations/00002_c.sql": GOOSE}, {TAKEN}),
    "goose, no way back": (example("goose"), {"migrations/00003_c.sql": GOOSE_UP}, {DOWN}),
    "goose, in Go": (example("goose"), {"migrations/00003_c.go": "package migrations\n"}, set()),
    "golang-migrate, late": (
        example("golang_migrate"),
        {"db/migration/0_c.up.sql": "SELECT 1;", "db/migration/0_c.down.sql": "SELECT 2;"}, {LATE},
    ),
    "golang-migrate, taken": (
        example("golang_migrate"), {"db/migration/000002_c.up.sql": "SELECT 1;"}, {TAKEN},
    ),
    "golang-migrate, no way back": (
        example("golang_migrate"), {"db/migration/000003_c.up.sql": "SELECT 1;"}, {DOWN},
    ),
    "golang-migrate, an empty way back": (
        example("golang_migrate"),
        {"db/migration/000003_c.up.sql": "SELECT 1;", "db/migration/000003_c.down.sql": "\n"}, {DOWN},
    ),
    "golang-migrate, why there is no way back": (
        example("golang_migrate"),
        {"db/migration/000003_c.up.sql": "SELECT 1;", "db/migration/000003_c.down.sql": "-- data is gone\n"}, set(),
    ),
    "dbmate, late": (example("dbmate"), {"db/migrations/20230101000000_c.sql": DBMATE}, {LATE}),
    "dbmate, taken": (example("dbmate"), {"db/migrations/20240102000000_c.sql": DBMATE}, {TAKEN}),
    "dbmate, no way back": (
        example("dbmate"), {"db/migrations/20250101000000_c.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\n"}, {DOWN},
    ),
    "sqlx, late": (SQLX, {"migrations/0_c.up.sql": "SELECT 1;", "migrations/0_c.down.sql": "SELECT 1;"}, {LATE}),
    "sqlx, taken": (SQLX, {"migrations/2_c.up.sql": "SELECT 1;"}, {TAKEN}),
    "sqlx, no way back": (SQLX, {"migrations/3_c.up.sql": "SELECT 1;"}, {DOWN}),
    "sqlx, simple files have none": (
        {"Cargo.toml": SQLX["Cargo.toml"], "migrations/1_x.sql": "SELECT 1;"}, {"migrations/2_c.sql": "SELECT 1;"}, set(),
    ),
    "diesel, late": (
        example("diesel"),
        {"migrations/2023-01-01-000000_c/up.sql": "SELECT 1;", "migrations/2023-01-01-000000_c/down.sql": "SELECT 2;"},
        {LATE},
    ),
    "diesel, taken": (example("diesel"), {"migrations/2024-01-02-000000_c/up.sql": "SELECT 1;"}, {TAKEN}),
    "diesel, no way back": (example("diesel"), {"migrations/2024-01-03-000000_c/up.sql": "SELECT 1;"}, {DOWN}),
    "Flyway, late": (FLYWAY, {"sql/V0_9__c.sql": "SELECT 1;", "sql/U0_9__c.sql": "SELECT 2;"}, {LATE}),
    "Flyway, taken in another spelling": (
        FLYWAY, {"sql/V01.1__c.sql": "SELECT 1;"}, {TAKEN},
    ),
    "Flyway, 1.10 comes after 1.9": (FLYWAY, {"sql/V1_10__c.sql": "SELECT 1;", "sql/U1.10__c.sql": "SELECT 2;"}, set()),
    "Flyway, no way back": (FLYWAY, {"sql/V2__c.sql": "SELECT 1;"}, {DOWN}),
    "Flyway, repeatable": (FLYWAY, {"sql/R__c.sql": "SELECT 1;"}, set()),
    "Active Record, late": (
        example("activerecord"), {"db/migrate/20250101000000_c.rb": RUBY.format("change", "")}, {LATE},
    ),
    "Active Record, taken": (
        example("activerecord"), {"db/migrate/20260201000000_c.rb": RUBY.format("change", "")}, {TAKEN},
    ),
    "Active Record, no way back": (
        example("activerecord"), {"db/migrate/20270101000000_c.rb": RUBY.format("up", "")}, {DOWN},
    ),
    "Active Record, an empty way back": (
        example("activerecord"),
        {"db/migrate/20270101000000_c.rb": RUBY.format("up", "  def down\n  end\n")}, {DOWN},
    ),
    "Active Record, irreversible and saying so": (
        example("activerecord"),
        {"db/migrate/20270101000000_c.rb": RUBY.format("up", "  def down\n    raise ActiveRecord::IrreversibleMigration\n  end\n")},
        set(),
    ),
    "Knex, late": (example("knex"), {"migrations/20250101000000_c.js": JS.format("(x) => x.two()")}, {LATE}),
    "Knex, two of one moment": (example("knex"), {"migrations/20260102000000_c.js": JS.format("(x) => x.two()")}, set()),
    "Knex, an empty way back": (example("knex"), {"migrations/20270101000000_c.js": JS.format("async () => {}")}, {DOWN}),
    "Knex, why there is no way back": (
        example("knex"), {"migrations/20270101000000_c.js": JS.format("() => { /* the data is gone */ }")}, set(),
    ),
    "Knex, a default that is empty": (
        example("knex"), {"migrations/20270101000000_c.js": JS.format("(x, options = {}) => x.two(options)")}, set(),
    ),
    "Sequelize, late": (
        example("sequelize"), {"migrations/20250101000000-c.js": "module.exports = { up: (q) => q.one(), down: (q) => q.two() };"},
        {LATE},
    ),
    "Sequelize, no way back": (
        example("sequelize"), {"migrations/20270101000000-c.js": "module.exports = { up: (q) => q.one(), down: async () => {} };"},
        {DOWN},
    ),
    "TypeORM, late": (
        example("typeorm"), {"migrations/1-c.js": TYPEORM.format("C1700000000000", " await two(); ")}, {LATE},
    ),
    "TypeORM, taken, no way back": (
        example("typeorm"), {"migrations/1-c.js": TYPEORM.format("C1767312000000", "")}, {TAKEN, DOWN},
    ),
    "MikroORM, late": (
        example("mikroorm"),
        {"migrations/Migration20250101000000.js": MIKRO.format("Migration20250101000000", "  async down() { two(); }\n")},
        {LATE},
    ),
    "MikroORM, no way back": (
        example("mikroorm"), {"migrations/Migration20270101000000.js": MIKRO.format("Migration20270101000000", "")}, {DOWN},
    ),
    "Kysely, late": (
        example("kysely"),
        {"migrations/1700000000000_c.ts": KYSELY.format(KYSELY_DOWN.format(" await two(); "))}, {LATE},
    ),
    "Kysely, no way back": (example("kysely"), {"migrations/1800000000000_c.ts": KYSELY.format("")}, {DOWN}),
    "Kysely, an empty way back": (
        example("kysely"), {"migrations/1800000000000_c.ts": KYSELY.format(KYSELY_DOWN.format(""))}, {DOWN},
    ),
    "node-pg-migrate, late": (
        example("node_pg_migrate"), {"migrations/1700000000000_c.js": "exports.up = (pgm) => pgm.one();"}, {LATE},
    ),
    "node-pg-migrate, a date among milliseconds": (
        example("node_pg_migrate"), {"migrations/20260103000000000_c.js": "exports.up = (pgm) => pgm.one();"}, set(),
    ),
    "node-pg-migrate, SQL without a way back": (
        example("node_pg_migrate"), {"migrations/1800000000000_c.sql": "-- Up Migration\nSELECT 1;\n"}, {DOWN},
    ),
    "node-pg-migrate, an empty way back": (
        example("node_pg_migrate"),
        {"migrations/1800000000000_c.js": "exports.up = (pgm) => pgm.one();\nexports.down = (pgm) => {};\n"}, {DOWN},
    ),
    "yoyo, late": (
        example("yoyo"), {"db-migrations/0000.c.sql": "SELECT 1;", "db-migrations/0000.c.rollback.sql": "SELECT 2;"}, {LATE},
    ),
    "yoyo, by what it depends on": (
        example("yoyo"),
        {"db-migrations/0000.c.py": '__depends__ = {"0002.add-nickname"}\nsteps = [step("a", "b")]\n'}, set(),
    ),
    "yoyo, no way back": (example("yoyo"), {"db-migrations/0003.c.sql": "-- depends: 0002.add-nickname\nSELECT 1;"}, {DOWN}),
    "yoyo, no way back in Python": (
        example("yoyo"), {"db-migrations/0003.c.py": 'from yoyo import step\nsteps = [step("SELECT 1")]\n'}, {DOWN},
    ),
    "Atlas, late": (ATLAS, {"migrations/20230101_c.sql": "SELECT 1;"}, {LATE}),
    "Atlas, taken": (ATLAS, {"migrations/20240201_c.sql": "SELECT 1;"}, {TAKEN}),
    "Ecto, late": (ECTO_MIGRATIONS, {"priv/repo/migrations/20250101000000_c.exs": ELIXIR.format("change")}, {LATE}),
    "Ecto, taken": (ECTO_MIGRATIONS, {"priv/repo/migrations/20260201000000_c.exs": ELIXIR.format("change")}, {TAKEN}),
    "Ecto, no way back": (ECTO_MIGRATIONS, {"priv/repo/migrations/20270101000000_c.exs": ELIXIR.format("up")}, {DOWN}),
    "Laravel, late": (
        LARAVEL_MIGRATIONS,
        {"database/migrations/2025_12_01_000000_c.php": PHP.format(PHP_DOWN.format(" two(); "))}, {LATE},
    ),
    "Laravel, no way back": (LARAVEL_MIGRATIONS, {"database/migrations/2027_01_01_000000_c.php": PHP.format("")}, {DOWN}),
    "Laravel, an empty way back": (
        LARAVEL_MIGRATIONS,
        {"database/migrations/2027_01_01_000000_c.php": PHP.format(PHP_DOWN.format("\n    "))}, {DOWN},
    ),
    "EF Core, late, no way back": (
        EFCORE_MIGRATIONS, {"src/Shop/Data/Migrations/20250101000000_C.cs": CSHARP.format("\n\n")}, {LATE, DOWN},
    ),
    "SeaORM, no way back": (
        {path: text.replace("}\n}\n", "}\n    async fn down() {}\n}\n") for path, text in example("seaorm").items()},
        {
            "migration/src/m1.rs": "impl MigrationTrait for Migration { async fn up() {} }",
            "migration/src/lib.rs": example("seaorm")["migration/src/lib.rs"].replace(
                "        ]\n", "            Box::new(m1::Migration),\n        ]\n", 1
            ),
        },
        {DOWN},
    ),
    "sqitch, no way back": (
        example("sqitch"),
        {"sqitch.plan": example("sqitch")["sqitch.plan"] + "c 2025-01-01T00:00:00Z Ann <a@x> # c\n", "deploy/c.sql": "SELECT 1;"},
        {DOWN},
    ),
    "Liquibase, no way back": (
        example("liquibase"), {"db/changelog/sql/003_c.sql": "--liquibase formatted sql\n--changeset shop:3\nSELECT 1;\n"}, {DOWN},
    ),
    "Liquibase, with its way back": (
        example("liquibase"),
        {"db/changelog/sql/003_c.sql": "--liquibase formatted sql\n--changeset shop:3\nSELECT 1;\n--rollback empty\n"}, set(),
    ),
    "Alembic, no way back": (
        example("alembic"),
        {"migrations/versions/c.py": 'revision = "c3"\ndown_revision = "b2"\ndef upgrade():\n    op.one()\ndef downgrade():\n    """x"""\n    pass\n'},
        {DOWN},
    ),
    "Alembic, a merge goes nowhere": (
        example("alembic"),
        {"migrations/versions/c.py": 'revision = "c3"\ndown_revision = "b2"\ndef upgrade():\n    pass\ndef downgrade():\n    pass\n'},
        set(),
    ),
    "Django, no way back": (
        example("django"),
        {"shop/migrations/0003_c.py": "class Migration(migrations.Migration):\n    dependencies = [('shop', '0002_customer_nickname')]\n"
         "    operations = [migrations.RunPython(forwards)]\n"},
        {DOWN},
    ),
    "Django, with its way back": (
        example("django"),
        {"shop/migrations/0003_c.py": "class Migration(migrations.Migration):\n    dependencies = [('shop', '0002_customer_nickname')]\n"
         "    operations = [migrations.RunPython(forwards, migrations.RunPython.noop), migrations.RunSQL('a', reverse_sql='b')]\n"},
        set(),
    ),
    "Supabase, taken": (
        example("supabase"), {"supabase/migrations/20250201000000_c.sql": "SELECT 1;"}, {TAKEN},
    ),
    "Prisma, late": (
        example("prisma"), {"prisma/migrations/20200101000000_c/migration.sql": "SELECT 1;"}, {LATE},
    ),
    "Drizzle 1, late": (
        example("drizzle_1"),
        {"drizzle/20200101000000_c/migration.sql": "SELECT 1;", "drizzle/20200101000000_c/snapshot.json": "{}"}, {LATE},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_numbers_and_ways_back_of_what_is_pushed(case: str) -> None:
    base, pushed, expected = CASES[case]
    assert rules(base, pushed) == expected


def test_an_old_migration_that_shares_its_number_with_a_pushed_one_is_not_edited() -> None:
    base = example("supabase")
    before, after = tree(base), tree({**base, "supabase/migrations/20250201000000_a.sql": "SELECT 1;"})
    (unit,) = detect(after, Settings())
    work = work_for(unit, after, before, changes(before, after))
    assert ([m.path for m in work.pushed], work.edits) == (["supabase/migrations/20250201000000_a.sql"], ())


def test_every_system_either_has_a_number_or_another_order() -> None:
    """A new system is one that has been thought about."""
    by_graph = {system.name for system in SYSTEMS if system.is_graph}
    by_number = {system.name for system in SYSTEMS if system.number.__name__ != "<lambda>"}
    listed = {"liquibase", "sqitch", "seaorm"}  # a changelog, a plan, a list in lib.rs
    without = {"hibernate", "custom"}  # no migrations at all; an order of the team's own
    assert by_graph | by_number | listed | without == {system.name for system in SYSTEMS}
