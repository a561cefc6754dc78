"""The scenarios of every migration system, for Ruby's and Java's tools."""

from __future__ import annotations

from tests.fix_gate import Team
from tests.gate.scenarios import Scenario, each
from tests.gate.stories import Story
from tests.gate.stories_rails_jvm import FLYWAY, STORIES


@each(STORIES)
def test_a_story(team: Team, story: Story, scenario: Scenario) -> None:
    scenario(team, story)


def test_where_flyway_is_not_installed_its_sql_files_are_run_and_recorded(team: Team) -> None:
    FLYWAY.start(team)
    del team.environ["PATH"]
    pushed = team.push(dict([FLYWAY.good]))
    assert pushed.passed, pushed.said
    assert [run["replayed"] for run in pushed.document["systems"][0]["runs"]] == [True, True]
    (migration,) = pushed.document["migrations"]
    assert (migration["id"], migration["applied"]) == ("1.2", True)


def test_a_file_whose_name_flyway_passes_over_is_blocked(team: Team) -> None:
    FLYWAY.start(team)
    path = "sql/V1_50_country.sql"
    pushed = team.push({path: FLYWAY.good[1]})
    assert pushed.exit_code == 1
    (finding,) = pushed.errors
    assert (finding["rule"], finding["path"]) == ("not-applied", path)
    assert "its name is not of the form that it looks for" in pushed.said
