"""Compiled tools get the address without its password, and the password from PGPASSWORD alone."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from neon_hooks.database.connect import connect
from neon_hooks.database.inspect import bookkeeping_rows
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Unavailable
from neon_hooks.systems import by_name
from tests.fix_systems import Copy, Postgres, Project, query, tables
from tests.gate.stories import Story
from tests.gate.stories_native import DBMATE, DIESEL, GOLANG_MIGRATE, GOOSE, SQITCH, SQLX, YOYO

EVERY = pytest.mark.parametrize(
    "story", (DBMATE, GOOSE, GOLANG_MIGRATE, SQLX, DIESEL, SQITCH, YOYO), ids=lambda story: story.system
)
ODD_USER, ODD_PASSWORD = "odd user@home", "p@ss/w:rd?%21#'\"&$"


def start(story: Story, project: Copy) -> Project:
    assert story.environment
    kit = story.environment()
    home = project(story.project, kit.links[".venv"] / "bin/python" if kit.links else Path("python"))
    for name, directory in kit.links.items():
        (home.path / name).symlink_to(directory)
    home.environ["PATH"] = os.pathsep.join([*map(str, kit.path), os.environ["PATH"]])
    return home


def odd_database(postgres: Postgres) -> Dsn:
    """A database whose owner has a name and a password of which little can stand in a URL as it is."""
    dsn = postgres.database()
    quoted = ODD_PASSWORD.replace("'", "''")
    if not query(dsn, f"SELECT 1 FROM pg_roles WHERE rolname = '{ODD_USER}'"):
        query(dsn, f"CREATE ROLE \"{ODD_USER}\" LOGIN PASSWORD '{quoted}'")
    query(
        dsn,
        f'GRANT ALL ON SCHEMA public TO "{ODD_USER}"; GRANT CREATE ON DATABASE {dsn.database} TO "{ODD_USER}"',
    )
    return replace(dsn, user=ODD_USER, password=ODD_PASSWORD)


@EVERY
def test_the_password_travels_in_the_environment_however_odd_it_is(
    story: Story, project: Copy, postgres: Postgres
) -> None:
    home, dsn = start(story, project), odd_database(postgres)
    done = home.run(dsn)
    assert done.exit_code == 0, done.output
    assert "customers" in tables(dsn)
    assert ODD_PASSWORD not in " ".join(done.argv)
    work, system = home.work(), by_name(story.system)
    assert system.bookkeeping
    with closing(connect(dsn)) as connection:
        rows = bookkeeping_rows(connection, system.bookkeeping(work.unit))
    assert system.applied(rows or frozenset(), work.history) == {m.id for m in work.history}


@EVERY
def test_what_a_developer_has_set_for_the_tool_leads_nowhere_else(
    story: Story, project: Copy, postgres: Postgres
) -> None:
    home, dsn, decoy = start(story, project), postgres.database(), postgres.database()
    address = decoy.uri()
    home.environ |= {
        "DATABASE_URL": address, "GOOSE_DBSTRING": address, "GOOSE_DRIVER": "postgres", "PGSERVICE": "production",
        "PGHOSTADDR": "127.0.0.1", "PGDATABASE": decoy.database, "PGPASSWORD": "wrong", "PGOPTIONS": "-c x.y=z",
        "SQITCH_TARGET": decoy.uri("db:pg"), "SQITCH_PASSWORD": "wrong", "SQITCH_USERNAME": "wrong",
        "PGSSLNEGOTIATION": "direct", "PGCHANNELBINDING": "require", "DBMATE_MIGRATIONS_DIR": "elsewhere",
    }  # fmt: skip
    home.write({".env": f"DATABASE_URL={address}\nGOOSE_DBSTRING={address}\n"})
    done = home.run(dsn)
    assert done.exit_code == 0, done.output
    assert ("customers" in tables(dsn), tables(decoy)) == (True, set())


@EVERY
def test_with_a_wrong_password_nothing_is_done(story: Story, project: Copy, postgres: Postgres) -> None:
    home, dsn = start(story, project), odd_database(postgres)
    done = home.run(replace(dsn, password="wrong"))
    assert done.exit_code != 0
    assert tables(dsn) == set()


@pytest.mark.parametrize("story", [DBMATE, GOLANG_MIGRATE], ids=lambda story: story.system)
def test_an_env_file_that_leads_libpq_elsewhere_is_refused(story: Story, project: Copy) -> None:
    home = start(story, project)
    home.write({".env": "PGHOSTADDR=192.0.2.1\n"})
    with pytest.raises(Unavailable, match="PGHOSTADDR"):
        home.prepare()


@pytest.mark.parametrize("story", [GOOSE, SQLX, DIESEL, SQITCH], ids=lambda story: story.system)
def test_an_env_file_does_not_lead_the_others_elsewhere(
    story: Story, project: Copy, postgres: Postgres
) -> None:
    home, dsn = start(story, project), postgres.database()
    home.write({".env": "PGHOSTADDR=192.0.2.1\n"})
    done = home.run(dsn)
    assert done.exit_code == 0, done.output
    assert "customers" in tables(dsn)
