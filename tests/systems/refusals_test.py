"""States of the tools' own tables in which they refuse to work, each beside a row with which all is well."""

from __future__ import annotations

from contextlib import closing

import pytest

from neon_hooks.database.connect import connect
from neon_hooks.database.inspect import refused
from neon_hooks.facts import Refused
from neon_hooks.plan import Unit
from neon_hooks.systems import by_name
from tests.fix_systems import Postgres

CASES = {
    "prisma": (
        "create table _prisma_migrations (migration_name text, finished_at timestamptz, rolled_back_at timestamptz);"
        "insert into _prisma_migrations values ('1_ok', now(), null), ('2_half', null, null), ('3_given_up', null, now())",
        Refused("_prisma_migrations", "2_half", "`prisma migrate resolve --rolled-back 2_half`, or `--applied 2_half`", False),
    ),
    "flyway": (
        "create table flyway_schema_history (version text, description text, success bool);"
        "insert into flyway_schema_history values ('1', 'ok', true), (null, 'views', false)",
        Refused("flyway_schema_history", "views", "`flyway repair`", False),
    ),
    "golang-migrate": (
        "create table schema_migrations (version bigint, dirty bool); insert into schema_migrations values (7, true)",
        Refused(
            "schema_migrations", "7", "`migrate force 7`, or force the version before it where nothing of it was kept", False
        ),
    ),
    "sqlx": (
        "create table _sqlx_migrations (version bigint, success bool); insert into _sqlx_migrations values (1, true), (2, false)",
        Refused("_sqlx_migrations", "2", "delete its row from _sqlx_migrations, as sqlx has no command for it", False),
    ),
    "liquibase": (
        "create table databasechangeloglock (id int, locked bool, lockedby text);"
        "insert into databasechangeloglock values (1, true, 'ci (10.0.0.1)')",
        Refused("databasechangeloglock", "ci (10.0.0.1)", "`liquibase release-locks`", True),
    ),
    "knex": (
        'create table knex_migrations_lock ("index" int, is_locked int); insert into knex_migrations_lock values (1, 1)',
        Refused("knex_migrations_lock", "somebody", "`knex migrate:unlock`", True),
    ),
    "yoyo": (
        "create table yoyo_lock (locked int, ctime timestamp, pid int); insert into yoyo_lock values (1, now(), 42)",
        Refused("yoyo_lock", "process 42", "`yoyo break-lock`", True),
    ),
}  # fmt: skip
WELL = {
    "prisma": "update _prisma_migrations set rolled_back_at = now()",
    "flyway": "update flyway_schema_history set success = true",
    "golang-migrate": "update schema_migrations set dirty = false",
    "sqlx": "update _sqlx_migrations set success = true",
    "liquibase": "update databasechangeloglock set locked = false",
    "knex": "update knex_migrations_lock set is_locked = 0",
    "yoyo": "delete from yoyo_lock",
}


@pytest.mark.parametrize("system", CASES)
def test_what_a_tool_would_refuse_to_work_because_of(system: str, postgres: Postgres) -> None:
    sql, expected = CASES[system]
    refusals = list(by_name(system).refusals(Unit(system, "", "migrations", ())))
    empty, made = postgres.database(), postgres.database(sql)
    with closing(connect(empty)) as connection:
        assert refused(connection, refusals) == ()
    with closing(connect(made)) as connection:
        assert refused(connection, refusals) == (expected,)
        connection.execute(WELL[system].encode())
        assert refused(connection, refusals) == ()
