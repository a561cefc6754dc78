"""An empty database for each test, on one Postgres for the session."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from neon_hooks.database.connect import connect
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator

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
