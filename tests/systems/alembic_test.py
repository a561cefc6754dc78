"""Real Alembic on a real Postgres."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fix_systems import Copy, Postgres, query, tables


def test_a_migration_runs_on_the_test_database_and_is_recorded(
    project: Copy, sqlalchemy_python: Path, postgres: Postgres
) -> None:
    shop, database = project("alembic", sqlalchemy_python), postgres.database()
    run = shop.run(database)
    assert run.exit_code == 0, run.output
    print(run)
    assert run.redirected and run.connections == 1
    assert {"customers", "alembic_version"} <= tables(database)
    assert shop.rows(database) == {"b2"}
