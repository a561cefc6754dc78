"""The scenarios of every migration system, for Ruby's and Java's tools."""

from __future__ import annotations

from tests.fix_gate import Team
from tests.gate import scenarios
from tests.gate.scenarios import Scenario, each
from tests.gate.stories import Story
from tests.gate.stories_rails_jvm import FLYWAY, LIQUIBASE_SPRING, STORIES


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


def test_a_version_that_flyway_would_refuse_is_told_and_one_that_it_would_skip_in_silence_is_blocked(team: Team) -> None:
    FLYWAY.start(team)
    late = {"sql/V1_0_5__country.sql": FLYWAY.good[1]}
    refused = team.push(late)
    assert set(refused.rules) == {"migration-fails", "out-of-order"}
    toml = (team.clone.path / "flyway.toml").read_text() + "validateOnMigrate = false\n"
    skipped = team.push({"flyway.toml": toml})
    assert skipped.exit_code == 1
    assert skipped.rules == ["skipped-migration", "out-of-order"]


def test_a_file_whose_name_flyway_passes_over_is_blocked(team: Team) -> None:
    FLYWAY.start(team)
    path = "sql/V1_50_country.sql"
    pushed = team.push({path: FLYWAY.good[1]})
    assert pushed.exit_code == 1
    (finding,) = pushed.errors
    assert (finding["rule"], finding["path"]) == ("not-applied", path)
    assert "its name is not of the form that it looks for" in pushed.said


def test_a_changelog_that_only_the_programs_code_names_in_another_module_of_the_build(team: Team) -> None:
    scenarios.a_good_migration_goes_through_in_silence_and_main_does_not_have_it(team, LIQUIBASE_SPRING)
