"""What is a migration system, and what only looks like one."""

from __future__ import annotations

import pytest

from neon_hooks.errors import UsageError
from neon_hooks.plan import Command, Script
from neon_hooks.settings import Settings, SystemSettings
from neon_hooks.systems import SYSTEMS, by_name, detect
from neon_hooks.tree import Tree
from tests.fix_systems import PROJECTS, tree, tree_of
from tests.growth import growth

INI = "[alembic]\nscript_location = {}\n"
ENV = "from alembic import context\ncontext.configure()\n"
FLASK_ENV = "from alembic import context\nfrom flask import current_app\n"
MAKO = "${message}"
REVISION = 'revision = "a1"\ndown_revision = None\n'
MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
MIGRATION = "class Migration(migrations.Migration):\n    dependencies = []\n    operations = []\n"
ENGINE = 'DATABASES = {{"default": {{"ENGINE": "django.db.backends.{}"}}}}\n'
POSTGIS = ENGINE.format("x").replace("django.db.backends.x", "django.contrib.gis.db.backends.postgis")
COMPUTED = 'DATABASES = {"default": {"ENGINE": os.environ["ENGINE"]}}\n'
SQL = "CREATE TABLE t (id bigint);\n"

FOUND = {
    "alembic.ini at the top": (
        {"alembic.ini": INI.format("migrations"), "migrations/env.py": ENV},
        [("alembic", "", "migrations")],
    ),
    "alembic.ini says where it is itself": (
        {"back/alembic.ini": INI.format("%(here)s/db"), "back/db/env.py": ENV},
        [("alembic", "back", "back/db")],
    ),
    "alembic.ini below the directory that Alembic is started in": (
        {"src/app/alembic.ini": INI.format("app/db"), "src/app/db/env.py": ENV},
        [("alembic", "src", "src/app/db")],
    ),
    "a package as script_location": (
        {"alembic.ini": INI.format("shop.db:migrations"), "shop/db/migrations/env.py": ENV},
        [("alembic", "", "shop/db/migrations")],
    ),
    "a package in src/": (
        {"alembic.ini": INI.format("shop:migrations"), "src/shop/migrations/env.py": ENV},
        [("alembic", "", "src/shop/migrations")],
    ),
    "two sections of one file": (
        {
            "alembic.ini": "[core]\nscript_location = core\n[tenant]\nscript_location = tenant\n",
            "core/env.py": ENV, "tenant/env.py": ENV,
        },
        [("alembic", "", "core"), ("alembic", "", "tenant")],
    ),
    "pyproject.toml": (
        {"api/pyproject.toml": '[tool.alembic]\nscript_location = "%(here)s/db"\n', "api/db/env.py": ENV},
        [("alembic", "api", "api/db")],
    ),
    "an environment that no file leads to": (
        {"db/env.py": ENV, "db/script.py.mako": MAKO, "db/versions/a1.py": REVISION},
        [("alembic", "", "db")],
    ),
    "Flask-Migrate, whose alembic.ini says nothing": (
        {
            "api/migrations/env.py": FLASK_ENV, "api/migrations/alembic.ini": "[alembic]\n",
            "api/migrations/script.py.mako": MAKO,
        },
        [("alembic", "api", "api/migrations")],
    ),
    "Django at the top": (
        {"manage.py": MANAGE, "shop/migrations/0001_initial.py": MIGRATION}, [("django", "", "shop/migrations")],
    ),
    "Django further down": ({"apps/web/manage.py": MANAGE}, [("django", "apps/web", "apps/web")]),
    "Django on PostGIS": (
        {"manage.py": MANAGE, "shop/settings.py": POSTGIS},
        [("django", "", "")],
    ),
    "Django that chooses at run time": (
        {"manage.py": MANAGE, "shop/settings.py": COMPUTED + ENGINE.format("sqlite3")},
        [("django", "", "")],
    ),
    "Django with SQLite for tests only": (
        {
            "manage.py": MANAGE.replace("shop.settings", "shop.settings.test"),
            "shop/settings/test.py": ENGINE.format("sqlite3"),
            "shop/settings/production.py": ENGINE.format("postgresql"),
        },
        [("django", "", "")],
    ),
    "Django and Alembic in one repository": (
        {"web/manage.py": MANAGE, "api/alembic.ini": INI.format("db"), "api/db/env.py": ENV},
        [("alembic", "api", "api/db"), ("django", "web", "web")],
    ),
    "Alembic whose address is computed": (
        {
            "alembic.ini": INI.format("db") + "sqlalchemy.url = sqlite:///x.db\n",
            "db/env.py": ENV + 'os.environ["DATABASE_URL"]\n',
        },
        [("alembic", "", "db")],
    ),
    "SQL files in a directory for Postgres": (
        {"db/migrations/postgres/1.sql": SQL}, [("sql", "db/migrations", "db/migrations/postgres")],
    ),
    "numbered SQL files": ({"db/migrations/001_init.sql": SQL}, [("sql", "db", "db/migrations")]),
    "SQL files numbered by time": ({"migrations/20240101120000_init.sql": SQL}, [("sql", "", "migrations")]),
    "SQL files that somebody runs by hand": (
        {"admin/sql/updates/2024-01-15-add-flair.sql": SQL}, [("sql", "admin/sql", "admin/sql/updates")],
    ),
    "SQL files of a runner that takes them as they are": (
        {"package.json": '{"dependencies": {"postgres-migrations": "5"}}', "migrations/tenant/0001-a.sql": SQL},
        [("sql", "migrations", "migrations/tenant")],
    ),
    "SQL files with a way back, and no tool": (
        {"migrations/1_a.up.sql": SQL, "migrations/1_a.down.sql": "DROP TABLE t;"},
        [("sql", "", "migrations")],
    ),
}  # fmt: skip

NOT_FOUND = {
    "a dependency alone": {"requirements.txt": "alembic\nDjango\n", "app.py": "import alembic\n"},
    "alembic.ini that leads nowhere": {"alembic.ini": INI.format("gone")},
    "an env.py of something else": {"env.py": "DEBUG = True\n", "versions/a.py": "x = 1\n"},
    "Alembic on SQLite": {
        "alembic.ini": INI.format("db") + "sqlalchemy.url = sqlite:///x.db\n",
        "db/env.py": ENV,
    },
    "a project of tests": {"tests/project/manage.py": MANAGE, "tests/project/alembic.ini": INI.format("db")},
    "what alembic init copies": {
        "templates/generic/env.py": ENV, "templates/generic/script.py.mako": MAKO,
        "templates/generic/alembic.ini.mako": INI.format("x"),
    },
    "an example": {"examples/shop/manage.py": MANAGE, "examples/shop/migrations/001_a.sql": SQL},
    "a program's end-to-end tests": {"e2e/migrations/001_a.sql": SQL},
    "notes on updates": {"docs/updates/2024-01-15-news.sql": SQL},
    "a guide": {"docs/migration-guide/001_example.sql": SQL},
    "a vendored copy": {"node_modules/x/alembic.ini": INI.format("db"), "node_modules/x/db/env.py": ENV},
    "a fixture of tests": {
        "tests/fixtures/shop/manage.py": MANAGE,
        "tests/fixtures/migrations/001_a.sql": SQL,
    },
    "somebody's virtual environment": {".venv/lib/python3.12/site-packages/x/migrations/001_a.sql": SQL},
    "a manage.py of Flask": {"manage.py": "from flask_script import Manager\n"},
    "Django on SQLite": {"manage.py": MANAGE, "shop/settings.py": ENGINE.format("sqlite3")},
    "Django on MySQL": {"manage.py": MANAGE, "shop/settings.py": ENGINE.format("mysql")},
    "Django without a database": {"manage.py": MANAGE, "shop/settings.py": "DATABASES = {}\n"},
    "Django on Oracle": {"manage.py": MANAGE, "shop/settings/__init__.py": ENGINE.format("oracle")},
    "sql-migrate": {"migrations/001_a.sql": "-- +migrate Up\n" + SQL},
    "Liquibase": {"db/migrations/001_a.sql": "--liquibase formatted sql\n" + SQL},
    "Drizzle": {"migrations/0000_a.sql": SQL + "--> statement-breakpoint\n" + SQL},
    "Drizzle with one statement": {"migrations/0000_a.sql": SQL, "migrations/meta/_journal.json": "{}"},
    "Prisma's lock": {
        "migrations/001_a.sql": SQL,
        "migrations/migration_lock.toml": 'provider = "postgresql"',
    },
    "Flyway": {"db/migration/V1__a.sql": SQL},
    "Supabase": {"supabase/config.toml": "", "supabase/migrations/20240101000000_a.sql": SQL},
    "node-pg-migrate": {
        "package.json": '{"devDependencies": {"node-pg-migrate": "8"}}',
        "migrations/1_a.sql": SQL,
    },
    "SQL beside code": {"migrations/001_a.sql": SQL, "migrations/002_b.ts": "export function up() {}"},
    "MySQL's SQL": {"migrations/001_a.sql": "CREATE TABLE t (id INT AUTO_INCREMENT) ENGINE=InnoDB;"},
    "SQLite's SQL": {"migrations/001_a.sql": "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);"},
    "SQL Server's SQL": {"migrations/001_a.sql": "CREATE TABLE t (id int IDENTITY(1,1))\nGO\n"},
    "a directory for another database": {"db/clickhouse/migrations/001_a.sql": SQL},
    "a directory for yet another one": {"database/cassandra/migrations/001_a.sql": SQL},
    "SQL without numbers": {"migrations/init.sql": SQL},
    "numbered SQL elsewhere": {"queries/001_report.sql": SQL},
    "only ways back": {"migrations/001_a.down.sql": SQL},
}


@pytest.mark.parametrize("case", FOUND)
def test_a_system_is_found(case: str) -> None:
    files, expected = FOUND[case]
    units = detect(tree(files), Settings())
    assert [(unit.system, unit.root, unit.migrations_dir) for unit in units] == expected
    assert all(unit.evidence for unit in units)


@pytest.mark.parametrize("case", NOT_FOUND)
def test_what_only_looks_like_one_is_left_alone(case: str) -> None:
    units = detect(tree(NOT_FOUND[case]), Settings())
    assert not [unit for unit in units if unit.system in ("sql", "alembic", "django")]


@pytest.mark.parametrize("text", ["-- ENGINE=InnoDB was MySQL's\n" + SQL, "SELECT '`x` AUTO_INCREMENT';\n"])
def test_another_dialect_in_a_comment_or_a_string_means_nothing(text: str) -> None:
    assert len(detect(tree({"migrations/001_a.sql": text}), Settings())) == 1


@pytest.mark.parametrize("name", ["alembic", "flask_migrate", "django", "sql"])
def test_an_example_project_is_found(name: str) -> None:
    (unit,) = detect(tree_of(PROJECTS / name), Settings())
    assert unit.system == {"flask_migrate": "alembic"}.get(name, name)


def entry(system: str, **keys: object) -> Settings:
    return Settings(systems=(SystemSettings(system, **keys),))  # type: ignore[arg-type]


def test_the_settings_add_what_no_evidence_shows() -> None:
    found = detect(
        tree({"schema/changes/a.sql": SQL}),
        entry("sql", migrations_dir="schema/changes", single_transaction=True),
    )
    assert [unit.migrations_dir for unit in found] == ["schema/changes"]
    applied = by_name("sql").apply(
        found[0], by_name("sql").history(found[0], tree({"schema/changes/a.sql": SQL}))
    )
    assert applied == Script(("schema/changes/a.sql",), single_transaction=True)


def test_the_settings_say_more_about_what_is_found() -> None:
    files = {"a/manage.py": MANAGE, "b/manage.py": MANAGE}
    found = detect(tree(files), entry("django", root="b", python="/opt/b/bin/python"))
    assert [(unit.root, unit.options.get("python")) for unit in found] == [
        ("a", None),
        ("b", "/opt/b/bin/python"),
    ]


def test_settings_that_are_a_class_have_no_module_in_front_of_them() -> None:
    manage = MANAGE + 'os.environ.setdefault("DJANGO_CONFIGURATION", "Production")\n'
    (unit,) = detect(tree({"manage.py": manage}), Settings())
    command = by_name("django").apply(unit, ())
    assert isinstance(command, Command) and "--settings" not in command.argv and not command.files


def test_an_alembic_directory_that_the_settings_name_needs_no_ini_file() -> None:
    files = {"odd/place/env.py": "run()", "odd/place/versions/a1.py": REVISION}
    (unit,) = detect(tree(files), entry("alembic", migrations_dir="odd/place"))
    assert [migration.id for migration in by_name("alembic").history(unit, tree(files))] == ["a1"]
    command = by_name("alembic").apply(unit, ())
    assert isinstance(command, Command) and "script_location = odd/place" in next(
        iter(command.files.values())
    )


def test_a_system_that_does_not_exist_is_an_error_that_lists_those_that_do() -> None:
    with pytest.raises(UsageError) as caught:
        detect(tree({}), entry("alembik"))
    assert all(system.name in caught.value.fix for system in SYSTEMS)


def test_a_directory_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(UsageError, match="nowhere"):
        detect(tree({}), entry("sql", migrations_dir="nowhere"))


def test_a_monorepo_of_a_hundred_thousand_files_is_quick() -> None:
    def big(size: int) -> Tree:
        files = {f"packages/p{n % 500}/src/deep/module{n}.py": "" for n in range(size)}
        files |= {f"packages/p{n}/migrations/{m:03}_x.sql": SQL for n in range(50) for m in range(5)}
        return tree(files | {"api/alembic.ini": INI.format("db"), "api/db/env.py": ENV, "web/manage.py": MANAGE})

    trees = {size: big(size) for size in (10_000, 100_000)}
    assert len(detect(trees[100_000], Settings())) == 52
    assert growth(lambda size: detect(trees[size], Settings()), *trees) < 30  # quadratic would be 100


@pytest.mark.parametrize(
    ("files", "is_schema"),
    [
        ({"schema.sql": "create or replace procedure p() language sql as 'select 1';"}, True),
        ({"schema.sql": "-- who may do what\nGRANT USAGE ON SCHEMA public TO reader;"}, True),
        ({"schema.sql": "create materialized view m as select 1;"}, True),
        ({"schema.sql": "select 1;"}, False),
        ({"schema.sql": ""}, False),
        ({"schema.sql": "", "migrations/0001_initial.sql": "-- Generated by neon-hooks from schema.sql.\n"}, True),
        ({"schema.sql": "create table t ();", "migrations/0001_initial.sql": SQL}, False),
    ],
)
def test_a_schema_is_a_file_that_makes_something_or_that_is_ours_already(files: dict[str, str], is_schema: bool) -> None:
    found = [unit.system for unit in detect(tree(files), Settings())]
    assert ("schema" in found) == is_schema
