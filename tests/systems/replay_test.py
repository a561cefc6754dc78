"""What we run and record in the place of a tool that is not installed is what the tool itself would have done."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from neon_hooks.database.replay import replay
from neon_hooks.dsn import Dsn
from neon_hooks.systems import by_name
from tests.fix_systems import Copy, Postgres, Project, query, tables, tree_of
from tests.gate.stories import Story
from tests.gate.stories_native import DBMATE, DIESEL, GOLANG_MIGRATE, GOOSE, SQLX

STORIES = (DBMATE, GOOSE, GOLANG_MIGRATE, SQLX, DIESEL)
REPLAYABLE = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.system)


def start(story: Story, project: Copy) -> Project:
    """The story's project, with its tool."""
    assert story.environment
    kit = story.environment()
    home = project(story.project, Path("python"))
    for name, directory in kit.links.items():
        (home.path / name).symlink_to(directory)
    home.environ["PATH"] = os.pathsep.join([*map(str, kit.path), os.environ["PATH"]])
    return home


def replayed(home: Project, dsn: Dsn) -> str:
    """Replay what is pending; the error's message, "" when there was none."""
    work = home.work()
    system = by_name(work.unit.system)
    assert system.replay
    done = system.applied(home.rows(dsn), work.history)
    pending = [migration for migration in work.history if migration.id not in done]
    runs = replay(dsn, system.replay(work.unit, tree_of(home.path), pending))
    return next((run.error.message for run in runs if run.error), "")


@REPLAYABLE
def test_after_a_replay_the_tool_has_nothing_to_do_and_goes_on_from_there(
    story: Story, project: Copy, postgres: Postgres
) -> None:
    home, dsn = start(story, project), postgres.database()
    assert replayed(home, dsn) == ""
    rows = home.rows(dsn)
    assert by_name(story.system).applied(rows, home.work().history) == {m.id for m in home.work().history}
    again = home.run(dsn)
    assert (again.exit_code, home.rows(dsn)) == (0, rows), again.output
    home.write(dict([story.good]))
    more = home.run(dsn)
    assert more.exit_code == 0, more.output
    assert story.good_id in home.rows(dsn) - rows


@REPLAYABLE
def test_a_replay_goes_on_where_the_tool_has_stopped(story: Story, project: Copy, postgres: Postgres) -> None:
    home, dsn = start(story, project), postgres.database()
    done = home.run(dsn)
    assert done.exit_code == 0, done.output
    before = home.rows(dsn)
    home.write(dict([story.good]))
    assert replayed(home, dsn) == ""
    assert story.good_id in home.rows(dsn) - before
    again = home.run(dsn)
    assert again.exit_code == 0, again.output


INDEX = "CREATE INDEX CONCURRENTLY email_index ON customers (email);\n"
TWO = INDEX + "CREATE TABLE more (id bigint);\n"
# (story, file, text, whether the tool can run it)
ALONE: Mapping[str, tuple[Story, str, str, bool]] = {
    "dbmate with its mark": (
        DBMATE, "db/migrations/3_x.sql", f"-- migrate:up transaction:false\n{INDEX}-- migrate:down\n", True,
    ),
    "dbmate with its mark and two statements": (
        DBMATE, "db/migrations/3_x.sql", f"-- migrate:up transaction:false\n{TWO}", False,
    ),
    "dbmate without its mark": (DBMATE, "db/migrations/3_x.sql", f"-- migrate:up\n{INDEX}", False),
    "goose with its mark": (
        GOOSE, "migrations/3_x.sql", f"-- +goose NO TRANSACTION\n-- +goose Up\n{TWO}-- +goose Down\n", True,
    ),
    "goose without its mark": (GOOSE, "migrations/3_x.sql", f"-- +goose Up\n{INDEX}", False),
    "goose with a function": (
        GOOSE, "migrations/3_x.sql",
        "-- +goose Up\n-- +goose StatementBegin\nCREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN\n"
        "RETURN 1;\nEND $$;\n-- +goose StatementEnd\n",
        True,
    ),
    "golang-migrate with one statement": (GOLANG_MIGRATE, "db/migration/3_x.up.sql", INDEX, True),
    "golang-migrate with two": (GOLANG_MIGRATE, "db/migration/3_x.up.sql", TWO, False),
    "sqlx with its mark": (SQLX, "migrations/20240103000000_x.sql", f"-- no-transaction\n{INDEX}", True),
    "sqlx without its mark": (SQLX, "migrations/20240103000000_x.sql", INDEX, False),
    "diesel without its mark": (DIESEL, "migrations/2024-01-03-000000_x/up.sql", INDEX, False),
}  # fmt: skip


@pytest.mark.parametrize("case", ALONE)
def test_what_cannot_run_in_a_transaction_runs_and_fails_as_with_the_tool(
    case: str, project: Copy, postgres: Postgres
) -> None:
    story, path, text, works = ALONE[case]
    home, by_tool, by_us = start(story, project), postgres.database(), postgres.database()
    for dsn in (by_tool, by_us):
        assert replayed(home, dsn) == ""
    home.write({path: text})
    run = home.run(by_tool)
    assert (run.exit_code == 0) == works, run.output
    assert (replayed(home, by_us) == "") == works
    assert ("more" in tables(by_tool)) == ("more" in tables(by_us))
    if works:
        assert home.rows(by_tool) == home.rows(by_us)


def test_diesels_metadata_says_that_there_is_no_transaction(project: Copy, postgres: Postgres) -> None:
    home, dsn = start(DIESEL, project), postgres.database()
    at = "migrations/2024-01-03-000000_x"
    home.write({f"{at}/up.sql": INDEX, f"{at}/metadata.toml": "run_in_transaction = false\n"})
    assert replayed(home, dsn) == ""
    assert home.run(dsn).exit_code == 0
    assert query(dsn, "SELECT count(*) FROM __diesel_schema_migrations") == [(3,)]


def test_what_sqlx_has_written_down_is_its_own_checksum(project: Copy, postgres: Postgres) -> None:
    home, by_tool, by_us = start(SQLX, project), postgres.database(), postgres.database()
    assert home.run(by_tool).exit_code == 0
    assert replayed(home, by_us) == ""
    columns = "SELECT version, description, success, checksum FROM _sqlx_migrations ORDER BY 1"
    assert query(by_tool, columns) == query(by_us, columns)


BODY = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN\nRETURN 1;\nEND $$;\n"


def test_a_function_that_goose_would_cut_is_left_to_goose(project: Copy, postgres: Postgres) -> None:
    home, dsn = start(GOOSE, project), postgres.database()
    assert home.run(dsn).exit_code == 0
    home.write({"migrations/3_x.sql": f"-- +goose Up\n{BODY}"})
    work = home.work()
    replay_of = by_name("goose").replay
    assert replay_of and len(replay_of(work.unit, tree_of(home.path), work.history)) == 2
    assert home.run(dsn).exit_code != 0


def test_goose_fills_in_variables_that_we_do_not_know(project: Copy) -> None:
    home = project("goose", Path("python"))
    home.write({"migrations/3_x.sql": "-- +goose Up\n-- +goose ENVSUB ON\nGRANT SELECT ON t TO ${ROLE};\n"})
    work = home.work()
    replay_of = by_name("goose").replay
    assert replay_of and len(replay_of(work.unit, tree_of(home.path), work.history)) == 2
