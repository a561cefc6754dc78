"""Migrations that we replayed are taken for applied by the tool itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from neon_hooks.database.replay import replay
from neon_hooks.dsn import Dsn
from neon_hooks.settings import Settings
from neon_hooks.systems import by_name, detect
from tests.fix_systems import PROJECTS, Postgres, query, tables, tree_of
from tests.gate.stories import Kit, Story
from tests.gate.stories_node_sql import DRIZZLE, DRIZZLE_1, PRISMA, PRISMA_6, SUPABASE


@dataclass(frozen=True)
class Replayable:
    """``ask`` is the tool's own question whether anything is pending; ``answer`` stands in what it says."""

    story: Story
    rows: str
    ask: tuple[str, ...]
    answer: str


DRIZZLE_ROWS = "select hash, created_at::text from drizzle.__drizzle_migrations order by id"
CASES = (
    Replayable(DRIZZLE, DRIZZLE_ROWS, ("drizzle-kit", "migrate"), "applied successfully"),
    Replayable(DRIZZLE_1, DRIZZLE_ROWS.replace("hash", "hash, name"), ("drizzle-kit", "migrate"), "applied successfully"),
    Replayable(
        PRISMA, "select migration_name, checksum from _prisma_migrations order by 1",
        ("prisma", "migrate", "status"), "Database schema is up to date!",
    ),
    Replayable(
        PRISMA_6, "select migration_name, checksum from _prisma_migrations order by 1",
        ("prisma", "migrate", "status"), "Database schema is up to date!",
    ),
    Replayable(
        SUPABASE, "select version, name from supabase_migrations.schema_migrations order by 1",
        ("supabase", "db", "push", "--yes", "--db-url", "URL"), "up to date",
    ),
)  # fmt: skip


def run(case: Replayable, argv: tuple[str, ...], home: Path, dsn: Dsn) -> str:
    kit = case.story.environment() if case.story.environment else Kit()
    place = home / case.story.project
    if not place.exists():
        shutil.copytree(PROJECTS / case.story.project, place)
        (place / "node_modules").symlink_to(kit.links["node_modules"])
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(home), **kit.environ,
        "DATABASE_URL": dsn.uri(), "DIRECT_URL": dsn.uri(), "CHECKPOINT_DISABLE": "1",
    }  # fmt: skip
    words = [str(place / "node_modules/.bin" / argv[0]), *(dsn.uri() if word == "URL" else word for word in argv[1:])]
    done = subprocess.run(words, cwd=place, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.story.project)
def test_a_replay_writes_what_the_tool_writes_and_the_tool_finds_nothing_left(
    case: Replayable, postgres: Postgres, tmp_path: Path
) -> None:
    tree = tree_of(PROJECTS / case.story.project)
    (unit,) = detect(tree, Settings())
    system = by_name(unit.system)
    assert system.replay
    by_tool, by_us = postgres.database(), postgres.database()
    deploy = tuple("URL" if word == "{url}" else word for word in case.story.deploy)
    run(case, deploy, tmp_path, by_tool)

    done = replay(by_us, system.replay(unit, tree, system.history(unit, tree)))
    assert [each.error for each in done] == [None, None]
    assert tables(by_us) == tables(by_tool)
    assert query(by_us, case.rows) == query(by_tool, case.rows)
    assert case.answer in run(case, case.ask, tmp_path, by_us)
    assert query(by_us, case.rows) == query(by_tool, case.rows)
