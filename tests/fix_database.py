"""An empty database for each test, on one Postgres for the session; or on each Postgres of this machine."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from neon_hooks.database.connect import connect
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator, binaries

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Dsn]:
    """The owner of a database on a server that lives as long as the session."""
    with Emulator() as emulator:
        yield emulator.main


@pytest.fixture
def database(postgres_server: Dsn) -> Dsn:
    name = f"test_{next(NUMBERS)}"
    with closing(connect(postgres_server)) as connection:
        connection.execute(f"create database {name}".encode())
    return replace(postgres_server, database=name)


def postgres_versions() -> list[int]:
    """Major versions: 0, which is whatever the emulator finds first, and those of the system's packages."""
    found = [int(path.name) for path in binaries.SYSTEM.glob("*") if path.name.isdigit()]
    return [0, *sorted(version for version in found if version >= binaries.OLDEST)]


@pytest.fixture(scope="session", params=postgres_versions(), ids=lambda version: f"postgres{version or ''}")
def each_server(request: pytest.FixtureRequest) -> Iterator[Dsn]:
    with Emulator(postgres=binaries.find(version=request.param)) as emulator:
        yield emulator.main


@pytest.fixture
def each_database(each_server: Dsn) -> Dsn:
    """An empty database on each version of Postgres that this machine has."""
    name = f"test_{next(NUMBERS)}"
    with closing(connect(each_server)) as connection:
        connection.execute(f"create database {name}".encode())
    return replace(each_server, database=name)


HOSTILE = """
create schema hostile;
create function hostile.fail() returns int language plpgsql as 'begin raise exception ''hostile''; end';
create function hostile.equal(oid, oid) returns bool language sql as 'select hostile.fail() > 0';
create function hostile.equal(text, text) returns bool language sql as 'select hostile.fail() > 0';
create function hostile.equal(name, name) returns bool language sql as 'select hostile.fail() > 0';
create function hostile.equal("char", "char") returns bool language sql as 'select hostile.fail() > 0';
create function hostile.equal(int, int) returns bool language sql as 'select hostile.fail() > 0';
create function hostile.equal(bigint, bigint) returns bool language sql as 'select hostile.fail() > 0';
create operator hostile.= (leftarg = oid, rightarg = oid, function = hostile.equal);
create operator hostile.>= (leftarg = oid, rightarg = oid, function = hostile.equal);
create operator hostile.<= (leftarg = oid, rightarg = oid, function = hostile.equal);
create operator hostile.= (leftarg = text, rightarg = text, function = hostile.equal);
create operator hostile.~ (leftarg = text, rightarg = text, function = hostile.equal);
create operator hostile.|| (leftarg = text, rightarg = text, function = hostile.equal);
create operator hostile.= (leftarg = name, rightarg = name, function = hostile.equal);
create operator hostile.= (leftarg = "char", rightarg = "char", function = hostile.equal);
create operator hostile.= (leftarg = int, rightarg = int, function = hostile.equal);
create operator hostile.> (leftarg = bigint, rightarg = bigint, function = hostile.equal);
create function hostile.clock_timestamp() returns timestamptz language sql as 'select hostile.fail()::text::timestamptz';
create function hostile.pg_backend_pid() returns int language sql as 'select hostile.fail()';
create function hostile.current_setting(text) returns text language sql as 'select hostile.fail()::text';
create view hostile.pg_locks as select hostile.fail();
create view hostile.pg_class as select hostile.fail();
create domain hostile.int8 as text check (value = 'hostile');
set search_path = hostile, pg_catalog, public;
set quote_all_identifiers = on;
set standard_conforming_strings = off;
set backslash_quote = off;
set plpgsql.extra_errors = 'all';
set datestyle = 'sql, dmy';
set intervalstyle = 'sql_standard';
"""
