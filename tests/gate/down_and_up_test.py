"""The way back of what is pushed, where it does not lead back: what is said, and what blocks."""

from __future__ import annotations

import pytest

from tests.fix_gate import Pushed, Team
from tests.gate.own_command_test import CONNECT, CUSTOM, SETTINGS
from tests.gate.stories import ALEMBIC, SQL, alembic, deploy

ON = {"NEON_HOOKS_TRIALS_DOWN_AND_UP": "true"}
UP = "ALTER TABLE customers ADD COLUMN country text;\nCREATE TABLE countries (name text);\n"


def pushed_with(team: Team, down: str) -> Pushed:
    SQL.start(team)
    return team.push({"migrations/003_x.sql": UP, "migrations/003_x.down.sql": down}, environ=ON)


def way_back_rules(pushed: Pushed) -> list[str]:
    """What is found about the way back; what the migrations do on the way up is told elsewhere."""
    return [rule for rule in pushed.rules if rule in ("not-reversible", "missing-down")]


def trials(pushed: Pushed) -> list[str]:
    """Every start of the tool."""
    (system,) = pushed.document["systems"]
    way_back = system["facts"]["down_and_up"] or {}
    return [*(run["trial"] for run in system["runs"]), *(name for name in ("down", "up") if way_back.get(name))]


def test_a_way_back_that_fails_is_a_warning_in_postgres_words(team: Team) -> None:
    pushed = pushed_with(team, "ALTER TABLE customers DROP COLUMN contry;\n")
    assert pushed.passed and way_back_rules(pushed) == ["not-reversible"]
    assert "the way back fails" in pushed.said and 'column "contry"' in pushed.said
    assert trials(pushed) == ["apply", "down"]
    team.assert_main_is_untouched()


def test_what_it_leaves_behind_is_shown_and_blocks_when_the_migration_cannot_run_again(team: Team) -> None:
    pushed = pushed_with(team, "ALTER TABLE customers DROP COLUMN country;\n")
    assert pushed.exit_code == 1
    again, left = (each for each in pushed.document["findings"] if each["rule"] == "not-reversible")
    assert (again["rule"], again["severity"]) == (left["rule"], "error") == ("not-reversible", "error")
    assert 'relation "countries" already exists' in pushed.said
    assert "+table public.countries" in pushed.said and "country text" not in pushed.said
    assert left["severity"] == "warning" and "does not lead back" in left["message"]


def test_what_it_takes_too_much_is_shown(team: Team) -> None:
    pushed = pushed_with(
        team, "DROP TABLE countries;\nALTER TABLE customers DROP COLUMN country, DROP COLUMN nickname;\n"
    )
    assert pushed.passed and way_back_rules(pushed) == ["not-reversible"]
    assert "-column public.customers.nickname text" in pushed.said


@pytest.mark.parametrize("down", ["", "-- The countries are gone for good.\n"])
def test_nothing_is_tried_where_there_is_no_way_back(team: Team, down: str) -> None:
    pushed = pushed_with(team, down)
    assert pushed.passed and way_back_rules(pushed) == []
    assert trials(pushed) == ["apply"]


def test_it_can_be_switched_off(team: Team) -> None:
    SQL.start(team)
    del team.environ["NEON_HOOKS_TRIALS_DOWN_AND_UP"]
    files = {"migrations/003_x.sql": UP, "migrations/003_x.down.sql": "SELECT 1 / 0;\n"}
    pushed = team.push({**files, ".neon-hooks.toml": "[trials]\ndown_and_up = false\n"})
    assert pushed.passed and way_back_rules(pushed) == [] and trials(pushed) == ["apply"]
    pushed = team.push({"migrations/004_x.sql": "SELECT 1;\n", "migrations/004_x.down.sql": "SELECT 1 / 0;\n"}, environ=ON)
    assert way_back_rules(pushed) == ["not-reversible"]


def test_an_alembic_downgrade_that_forgets_something_is_told(team: Team) -> None:
    ALEMBIC.start(team)
    body = 'op.add_column("customers", sa.Column("a", sa.Text)); op.add_column("customers", sa.Column("b", sa.Text))'
    pushed = team.push({"migrations/versions/c3.py": alembic(body, back='op.drop_column("customers", "a")')}, environ=ON)
    assert pushed.exit_code == 1
    assert "+column public.customers.b text" in pushed.said
    assert "the migrations cannot be applied again: `python -m alembic" in pushed.said


def test_what_was_pending_on_main_and_ran_with_it_is_not_taken_back(team: Team) -> None:
    ALEMBIC.start(team)
    team.deployed(dict([ALEMBIC.good]))
    pushed = team.push(dict([ALEMBIC.after_good]), environ=ON)
    assert pushed.passed and trials(pushed) == ["apply", "apply again"]


def test_a_down_command_of_the_teams_own_takes_the_migrations_back(team: Team) -> None:
    CUSTOM.start(team)
    settings = SETTINGS + 'down = "python down.py"\n'
    down = CONNECT + (
        'connection.execute("ALTER TABLE customers DROP COLUMN country")\n'
        "connection.execute(\"DELETE FROM applied_files WHERE name = '003_country.sql'\")\nconnection.commit()\n"
    )
    pushed = team.push({".neon-hooks.toml": settings, "down.py": down, **dict([CUSTOM.good])}, environ=ON)
    assert pushed.passed and way_back_rules(pushed) == [], pushed.said
    assert trials(pushed) == ["apply", "apply again", "down", "up"]
    deploy(CUSTOM, team, team.emulator.main)
    forgets = {"down.py": CONNECT + "connection.execute(\"DELETE FROM applied_files WHERE name = '004_x.sql'\")\nconnection.commit()\n"}
    pushed = team.push({**forgets, "migrations/004_x.sql": "CREATE TABLE x ();\n"}, environ=ON)
    assert pushed.exit_code == 1 and way_back_rules(pushed) == ["not-reversible", "not-reversible"]
