"""Event triggers for owner roles, as at Neon, in every database and child; and nobody else sees the door."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from neon_hooks.database import watchers
from neon_hooks.database.connect import Connection, connect
from neon_hooks.database.inspect import schema_lines
from neon_hooks.dsn import Dsn
from tests.fix_emulator import Api, opened, query

DOOR = f"select {watchers.DOOR}.create_event_trigger('mine', 'ddl_command_end', %s::regprocedure)"
FUNCTION = "create function mine() returns event_trigger language plpgsql as 'begin end'"


def works(connection: Connection) -> bool:
    told: list[str | None] = []
    connection.add_notice_handler(lambda notice: told.append(notice.sqlstate))
    installed = watchers.install(connection)
    connection.execute("create table seen (a int)")
    connection.execute("drop table seen")
    watchers.remove(connection)
    return not installed.refused and told.count("NH001") == 3


def test_an_owner_role_gets_event_triggers_in_every_database(api: Api) -> None:
    main = api.emulator.main
    query(main, "create database by_sql")
    api.post(f"{default(api)}/databases", {"database": {"name": "by_api", "owner_name": main.user}})
    api.settle()
    for name in (main.database, "by_sql", "by_api"):
        with closing(connect(replace(main, database=name))) as connection:
            assert works(connection)
    for name in ("by_sql", "by_api"):
        query(main, f"drop database {name}")


def test_a_child_has_it_too(api: Api) -> None:
    with closing(opened(api.create("child"))) as connection:
        assert works(connection)


def default(api: Api) -> str:
    return f"~/branches/{next(found['id'] for found in api.get('~/branches')['branches'] if found['default'])}"


def test_it_shows_in_no_comparison(api: Api, database: Dsn) -> None:
    dumped = api.get(f"{default(api)}/schema", db_name="neondb")["sql"]
    assert watchers.DOOR not in dumped
    with closing(connect(database)) as connection:
        assert not [line for line in schema_lines(connection) if watchers.DOOR in line]


def test_a_function_of_somebody_else_does_not_go_through(database: Dsn) -> None:
    with closing(connect(database)) as connection:
        connection.execute(FUNCTION)
        connection.execute("drop role if exists outsider; create role outsider login password 'outsider'")
        outsider = replace(database, user="outsider", password="outsider")
        with closing(connect(outsider)) as other, pytest.raises(psycopg.errors.InsufficientPrivilege):
            other.execute(DOOR, ("mine()",))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(DOOR, ("pg_catalog.now()",))
        connection.execute(DOOR, ("mine()",))
        assert connection.execute("select evtenabled::text from pg_event_trigger").fetchone() == ("A",)
        connection.execute("drop function mine() cascade")
        assert connection.execute("select count(*) from pg_event_trigger").fetchone() == (0,)
