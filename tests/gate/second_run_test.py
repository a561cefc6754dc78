"""A tool that is started again when there is nothing left to do: it must do nothing, and not fail."""

from __future__ import annotations

import pytest

from tests.fix_gate import Pushed, Team
from tests.fix_systems import PROJECTS
from tests.gate.own_command_test import CUSTOM, RUNNER
from tests.gate.stories import ALEMBIC, DJANGO, Story
from tests.gate.stories_javascript import KNEX
from tests.gate.stories_native import GOOSE

ENV = (PROJECTS / "alembic/migrations/env.py").read_text()
EACH_START = """
    connection.exec_driver_sql("CREATE SEQUENCE IF NOT EXISTS starts")
    number = connection.exec_driver_sql("SELECT nextval('starts')").scalar()
    connection.exec_driver_sql(f"CREATE TABLE start_{number} ()")
    connection.commit()
"""


def second(pushed: Pushed) -> list[str]:
    return [rule for rule in pushed.rules if rule.startswith("second-run")]


@pytest.mark.parametrize("story", [ALEMBIC, DJANGO, KNEX, GOOSE, CUSTOM], ids=lambda story: story.system)
def test_a_second_run_that_does_nothing_is_not_worth_a_word(team: Team, story: Story) -> None:
    story.start(team)
    pushed = team.push(story.pushing(story.good))
    assert pushed.passed and second(pushed) == [], pushed.said
    assert [run["changed"] for run in pushed.document["systems"][0]["runs"]] == [True, False]


def test_one_that_changes_the_schema_each_time_blocks_with_what_it_changes(team: Team) -> None:
    ALEMBIC.start(team)
    pushed = team.push({"migrations/env.py": ENV + EACH_START, **ALEMBIC.pushing(ALEMBIC.good)})
    assert pushed.exit_code == 1 and second(pushed) == ["second-run-changes"]
    (finding,) = (each for each in pushed.document["findings"] if each["rule"] == "second-run-changes")
    assert finding["severity"] == "error" and "+table public.start_2" in finding["quote"]
    assert "start_1" not in finding["quote"]
    team.assert_main_is_untouched()


def test_one_that_fails_blocks_in_the_tools_words(team: Team) -> None:
    CUSTOM.start(team)
    runner = RUNNER + '    connection.execute("CREATE TABLE started ()")\n'
    pushed = team.push({"migrate.py": runner, **CUSTOM.pushing(CUSTOM.good)})
    assert pushed.exit_code == 1 and second(pushed) == ["second-run-fails"]
    assert 'relation "started" already exists' in pushed.said
    team.assert_main_is_untouched()
