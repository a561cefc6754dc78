"""The scenarios of every migration system, for compiled tools, sqitch and yoyo."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from tests.fix_gate import Team
from tests.gate.scenarios import Scenario, each
from tests.gate.stories import Story
from tests.gate.stories_native import (
    COUNTRY, DBMATE, DIESEL, GOLANG_MIGRATE, GOOSE, NO_COUNTRY, SQITCH, SQLX, STORIES,
)  # fmt: skip

REPLAYABLE = pytest.mark.parametrize(
    "story", (DBMATE, GOOSE, GOLANG_MIGRATE, SQLX, DIESEL), ids=lambda story: story.system
)


@each(STORIES)
def test_a_story(team: Team, story: Story, scenario: Scenario) -> None:
    scenario(team, story)


def without_its_tool(team: Team, story: Story) -> None:
    """The project in production; on this developer's machine the tool is not installed."""
    assert story.environment
    story.start(team)
    for name in story.environment().links:
        (team.clone.path / name).unlink()
    team.environ["PATH"] = os.environ["PATH"]


@REPLAYABLE
def test_where_the_tool_is_not_installed_its_sql_is_run_and_the_report_says_so(
    team: Team, story: Story
) -> None:
    without_its_tool(team, story)
    pushed = team.push(story.pushing(story.good))
    assert pushed.passed, pushed.said
    assert pushed.rules == ["replayed"]
    (migration,) = pushed.document["migrations"]
    assert (migration["id"], migration["applied"]) == (story.good_id, True)
    assert f"+column public.{story.table}.country text" in pushed.document["schema_diff"]


FORBIDDEN = """
CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'use shop-server to run migrations'; END $$;
CREATE TRIGGER forbid BEFORE INSERT ON __diesel_schema_migrations EXECUTE FUNCTION forbid();
"""


def test_a_record_that_only_the_projects_own_runner_may_write_says_nothing_of_the_migration(team: Team) -> None:
    without_its_tool(team, DIESEL)
    team.query(FORBIDDEN)
    pushed = team.push(DIESEL.pushing(DIESEL.good))
    assert (pushed.document["verdict"], pushed.rules) == ("unknown", [])
    assert "use shop-server to run migrations" in pushed.said and "[[systems]]: `command`" in pushed.said


@REPLAYABLE
def test_what_fails_on_the_rows_fails_in_the_tools_place_with_line_and_sqlstate(
    team: Team, story: Story
) -> None:
    without_its_tool(team, story)
    pushed = team.push(story.pushing(story.bad))
    assert pushed.exit_code == 1
    finding = next(each for each in pushed.document["findings"] if each["rule"] == "migration-fails")
    assert (finding["path"], finding["line"]) == (story.bad[0], story.bad_line)
    assert finding["evidence"]["sqlstate"] == "23505"


def test_sqitch_is_never_replaced(team: Team) -> None:
    story = replace(SQITCH, idle={})
    story.start(team)
    programs = team.home / "programs"
    programs.mkdir()
    (programs / "git").symlink_to("/usr/bin/git")
    team.environ["PATH"] = str(programs)
    pushed = team.push(story.pushing(story.good))
    assert pushed.exit_code != 0
    assert "sqitch was not found" in pushed.said


def test_golang_migrate_is_told_on_for_what_it_skips(team: Team) -> None:
    GOLANG_MIGRATE.start(team)
    team.deployed({"db/migration/000005_later.up.sql": COUNTRY, "db/migration/000005_later.down.sql": NO_COUNTRY})
    team.query("ALTER TABLE customers ADD COLUMN country text")
    team.query("UPDATE schema_migrations SET version = 5")
    pushed = team.push(
        {"db/migration/000004_earlier.up.sql": NO_COUNTRY, "db/migration/000004_earlier.down.sql": COUNTRY}
    )
    assert pushed.exit_code == 1
    assert [finding["rule"] for finding in pushed.errors] == ["skipped-migration"]
    assert "out-of-order" in pushed.rules


def test_the_work_tree_of_a_diesel_project_is_not_written_to(team: Team) -> None:
    DIESEL.start(team)
    pushed = team.push(dict([DIESEL.good]))
    assert pushed.passed, pushed.said
    assert team.clone.git("status", "--porcelain") == ""


@pytest.mark.parametrize("story", [DBMATE, GOOSE, DIESEL, SQITCH], ids=lambda story: story.system)
def test_the_sqlstate_is_found_where_the_tool_prints_it(team: Team, story: Story) -> None:
    story.start(team)
    pushed = team.push(story.pushing(story.bad))
    (finding,) = pushed.errors
    assert finding["evidence"]["sqlstate"] == "23505"
    assert "UNIQUE" in finding["evidence"]["statement"]
