"""The tools with migrations in JavaScript and TypeScript, through real pushes."""

from __future__ import annotations

from tests.fix_gate import Team
from tests.gate.scenarios import Scenario, each
from tests.gate.stories import Story
from tests.gate.stories_javascript import KNEX, NODE_PG_MIGRATE, STORIES


@each(STORIES)
def test_story(team: Team, story: Story, scenario: Scenario) -> None:
    scenario(team, story)


def test_sql_files_of_node_pg_migrate_are_replayed_where_the_tool_is_not_installed(team: Team) -> None:
    NODE_PG_MIGRATE.start(team)
    (team.clone.path / "node_modules").unlink()
    path = "migrations/1772323200000_add-country.sql"
    up, down = "ALTER TABLE customers ADD COLUMN country text;", "SELECT 1 / 0;"
    text = f"-- Up Migration\n{up}\n-- Down Migration\n{down}\n"
    pushed = team.push({path: text})
    assert pushed.passed, pushed.said
    assert pushed.document["systems"][0]["runs"][0]["replayed"]
    (migration,) = pushed.document["migrations"]
    assert (migration["id"], migration["applied"]) == ("1772323200000_add-country", True)


def test_code_is_never_replayed_without_its_tool(team: Team) -> None:
    NODE_PG_MIGRATE.start(team)
    (team.clone.path / "node_modules").unlink()
    pushed = team.push(dict([NODE_PG_MIGRATE.good]))
    assert not pushed.passed and pushed.document["verdict"] == "unknown"
    assert "node-pg-migrate was not found" in pushed.said


def test_a_lock_that_a_killed_deployment_has_left_in_production_is_told(team: Team) -> None:
    KNEX.start(team)
    team.query("update knex_migrations_lock set is_locked = 1")
    pushed = team.push(dict([KNEX.good]))
    assert pushed.exit_code == 1
    assert pushed.rules == ["stale-lock"]
    assert "lock is taken by somebody (table knex_migrations_lock)" in pushed.said
    assert "`knex migrate:unlock`" in pushed.said and pushed.document["systems"][0]["runs"] == []
