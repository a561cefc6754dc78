"""Prisma: what is found, how its address is replaced, and what its words mean."""

from __future__ import annotations

import json

import pytest

from neon_hooks.errors import UsageError
from neon_hooks.plan import Command, Unit
from neon_hooks.settings import Settings
from neon_hooks.systems import detect, prisma, work_for
from tests.fix_systems import PROJECTS, changes, tree, tree_of

SQL = "CREATE TABLE t (a int);"
SCHEMA = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'
LOCK = 'provider = "postgresql"\n'


def migrations(directory: str, *names: str, lock: str = LOCK) -> dict[str, str]:
    found = {f"{directory}/{name}/migration.sql": SQL for name in names or ("20250101000000_a",)}
    return {**found, f"{directory}/migration_lock.toml": lock}


FOUND = {
    "the usual places": (
        {"package.json": "{}", "prisma/schema.prisma": SCHEMA, **migrations("prisma/migrations")},
        ("", "prisma/migrations"),
    ),
    "a package of a monorepo": (
        {"package.json": "{}", "packages/prisma/package.json": "{}", "packages/prisma/schema.prisma": SCHEMA,
         **migrations("packages/prisma/migrations")},
        ("packages/prisma", "packages/prisma/migrations"),
    ),
    "a configuration file": (
        {"package.json": "{}", "apps/api/prisma.config.ts": "", "apps/api/package.json": "{}",
         **migrations("apps/api/db/migrations")},
        ("apps/api", "apps/api/db/migrations"),
    ),
    "no manifest at all": (
        {"prisma/schema.prisma": SCHEMA, **migrations("prisma/migrations")}, ("", "prisma/migrations"),
    ),
}  # fmt: skip


def unit_of(files: dict[str, str]) -> Unit:
    (unit,) = detect(tree(files), Settings())
    return unit


def command_of(files: dict[str, str]) -> Command:
    command = prisma.apply(unit_of(files), ())
    assert isinstance(command, Command)
    return command


@pytest.mark.parametrize("case", FOUND)
def test_prisma_is_found(case: str) -> None:
    files, expected = FOUND[case]
    unit = unit_of(files)
    assert (unit.system, unit.root, unit.migrations_dir) == ("prisma", *expected)


@pytest.mark.parametrize("provider", ["mysql", "sqlite", "cockroachdb", "sqlserver"])
def test_another_database_is_left_alone(provider: str) -> None:
    files = {"prisma/schema.prisma": SCHEMA, **migrations("prisma/migrations", lock=f'provider = "{provider}"')}
    assert detect(tree(files), Settings()) == []


def test_a_schema_without_migrations_may_be_read_from_a_database_that_another_tool_migrates() -> None:
    assert detect(tree({"package.json": "{}", "prisma/schema.prisma": SCHEMA}), Settings()) == []


PUSHED = {
    "a script": ("prisma db push", "prisma/schema.prisma", ("prisma", "db", "push")),
    "npx": ("npx prisma@6.5.0 db push --skip-generate", "schema.prisma", ("prisma", "db", "push", "--skip-generate")),
    "another place": (
        "pnpm dlx prisma db push --accept-data-loss --schema ./libs/db/schema.prisma && next build", "libs/db/schema.prisma",
        ("prisma", "db", "push", "--accept-data-loss", "--schema", "libs/db/schema.prisma"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PUSHED)
def test_scripts_that_push_the_schema_make_its_states_migrations(case: str) -> None:
    script, schema, argv = PUSHED[case]
    manifest = json.dumps({"scripts": {"build": script}})
    before, after = ({"package.json": manifest, schema: SCHEMA + model} for model in ("", "model A {\n  id Int @id\n}\n"))
    assert command_of(after).argv == argv
    assert prisma.bookkeeping(unit_of(after)) is None
    work = work_for(unit_of(after), tree(after), tree(before), changes(tree(before), tree(after)))
    assert len(work.pushed) == 1 and not work.edits


@pytest.mark.parametrize("name", ["prisma", "prisma_6"])
def test_the_example_projects_are_found(name: str) -> None:
    (unit,) = detect(tree_of(PROJECTS / name), Settings())
    assert (unit.system, unit.migrations_dir) == ("prisma", "prisma/migrations")


def test_the_order_is_that_of_the_directories_names() -> None:
    files = {"prisma/schema.prisma": SCHEMA, **migrations("prisma/migrations", "20250201000000_b", "20250101000000_a")}
    found = prisma.history(unit_of(files), tree(files))
    assert [migration.id for migration in found] == ["20250101000000_a", "20250201000000_b"]


def test_every_variable_that_the_datasource_reads_is_set() -> None:
    fields = 'url = env("POOLED")\n  directUrl = env("DIRECT")\n  shadowDatabaseUrl = env("SHADOW")'
    schema = SCHEMA.replace('url = env("DATABASE_URL")', fields)
    command = command_of({"prisma/schema.prisma": schema, **migrations("prisma/migrations")})
    names = {name for name, value in command.environment.items() if value.startswith("{url_with_password}")}
    assert names == {"DATABASE_URL", "DIRECT_URL", "POOLED", "DIRECT", "SHADOW"}
    assert not command.files


@pytest.mark.parametrize("field", ["url", "directUrl"])
def test_an_address_in_the_schema_is_refused_with_the_remedy(field: str) -> None:
    schema = SCHEMA.replace("}", f'  {field} = "postgresql://app@production.example.com/shop"\n}}')
    with pytest.raises(UsageError, match="prisma/schema.prisma: the address") as caught:
        command_of({"prisma/schema.prisma": schema, **migrations("prisma/migrations")})
    assert 'env("DATABASE_URL")' in caught.value.fix


def test_an_address_in_a_comment_of_the_schema_is_none() -> None:
    schema = SCHEMA.replace("}", '  // url = "postgresql://localhost/shop"\n}')
    assert command_of({"prisma/schema.prisma": schema, **migrations("prisma/migrations")}).argv[:3] == (
        "prisma", "migrate", "deploy",
    )  # fmt: skip


def test_a_schema_at_an_unusual_place_is_named() -> None:
    files = {"package.json": "{}", "src/db/schema.prisma": SCHEMA, **migrations("src/db/migrations")}
    assert command_of(files).argv[-2:] == ("--schema", "src/db/schema.prisma")


def test_a_schema_in_several_files_is_a_directory() -> None:
    files = {"package.json": "{}", "db/base.prisma": SCHEMA, "db/shop.prisma": "", **migrations("db/migrations")}
    assert command_of(files).argv[-2:] == ("--schema", "db")


def test_the_schema_parameter_of_the_address_is_kept() -> None:
    files = {".env.example": 'DATABASE_URL="postgresql://u:p@localhost/shop?schema=shop"'}
    files |= {"prisma/schema.prisma": SCHEMA, **migrations("prisma/migrations")}
    assert command_of(files).environment["DATABASE_URL"].endswith("&schema=shop")
    kept = prisma.bookkeeping(unit_of(files))
    assert kept and kept.schema == "shop"


P3018 = """\
Error: P3018

A migration failed to apply. New migrations cannot be applied before the error is recovered from.

Migration name: 20250301000000_x

Database error code: 42703

Database error:
ERROR: column "naem" does not exist
HINT: Perhaps you meant "name".

Position:
\x1b[1m  1\x1b[0m UPDATE t SET naem = 1;

DbError { severity: "ERROR", parsed_severity: Some(Error), code: SqlState(E42703), message: "column \\"naem\\" does not exist", \
detail: None, hint: Some("Perhaps you meant \\"name\\"."), position: Some(Original(14)), where_: None, schema: None, \
file: Some("parse_target.c"), line: Some(1065), routine: Some("checkInsertTargets") }
"""


def test_postgres_words_are_read_from_prismas_output() -> None:
    error = prisma.explain(P3018)
    assert error
    assert (error.sqlstate, error.message) == ("42703", 'column "naem" does not exist')
    assert (error.hint, error.detail, error.position) == ('Perhaps you meant "name".', "", 14)


def test_they_are_read_without_the_dump_as_well() -> None:
    error = prisma.explain(P3018.partition("DbError")[0])
    assert error and (error.message, error.hint) == ('column "naem" does not exist', 'Perhaps you meant "name".')


def test_other_output_explains_nothing() -> None:
    assert prisma.explain("Error: P1001\n\nCan't reach database server") is None
