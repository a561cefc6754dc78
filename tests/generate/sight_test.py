"""Whatever pg_dump sees of a change, definitions see too: what both overlook would be a silent difference.

sight.sql has the changes, one a line. Some leave no trace (a materialized view is filled or not, a grant that was
there); then neither may say that something differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from neon_hooks.database.connect import connect
from neon_hooks.database.definitions import Definitions, definitions
from neon_hooks.generate.repair import different
from tests.exam import dumps
from tests.exam.postgres import Database, Server

SCHEMA, CHANGES = (Path(__file__).parent / "sight.sql").read_text().split("---- changes\n")
NUMBERS = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(18) as started:
        yield started


@pytest.fixture(scope="module")
def base(server: Server) -> Database:
    return server.database(SCHEMA)


def seen(database: Database) -> tuple[dumps.Dump, Definitions]:
    with closing(connect(database.dsn)) as connection:
        return dumps.read(database.dump()), definitions(connection)


@pytest.fixture(scope="module")
def before(base: Database) -> tuple[dumps.Dump, Definitions]:
    return seen(base)


@pytest.mark.parametrize("change", CHANGES.splitlines())
def test_a_change_that_pg_dump_sees_is_seen(
    server: Server, base: Database, before: tuple[dumps.Dump, Definitions], change: str
) -> None:
    name = f"changed_{next(NUMBERS)}"
    server.copy(base, name)
    database = replace(base, dsn=replace(base.dsn, database=name))
    try:
        database.load(change)
        dump, found = seen(database)
    finally:
        server.drop(database)
    assert bool(different(before[1], found)) == (not dump.same_as(before[0]))
