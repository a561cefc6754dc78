"""A migration runner of the team's own, and commands of the team's own, through real pushes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from neon_hooks.dsn import Dsn
from tests.fix_gate import Team
from tests.fix_systems import PROJECTS
from tests.gate.local_test import LOCAL
from tests.gate.scenarios import Scenario, each
from tests.gate.stories import ALEMBIC, UNIQUE_INDEX, Story, python_kit

RUNNER = (PROJECTS / "custom/migrate.py").read_text()
CONNECT = 'import os\nimport psycopg\n\nconnection = psycopg.connect(os.environ["DATABASE_URL"])\n'
SETTINGS = (PROJECTS / "custom/.neon-hooks.toml").read_text()


def runner_with(decoy: Dsn) -> Mapping[str, str]:
    return {"migrate.py": RUNNER.replace('os.environ["DATABASE_URL"]', repr(decoy.uri()))}


CUSTOM = Story(
    "custom", "custom", "customers",
    good=("migrations/003_country.sql", "ALTER TABLE customers ADD COLUMN country text;\n"),
    good_id="003_country.sql",
    bad=("migrations/003_unique.sql", UNIQUE_INDEX.format(table="customers") + ";\n"),
    bad_line=1,
    deploy=("python", "migrate.py"),
    environment=python_kit("django"),
    idle={"migrate.py": "print('nothing to do today')\n"},
    hard_coded=runner_with,
    after_good=("migrations/004_no_country.sql", "ALTER TABLE customers DROP COLUMN country;\n"),
    after_good_id="004_no_country.sql",
)  # fmt: skip


@each([CUSTOM])
def test_story(team: Team, story: Story, scenario: Scenario) -> None:
    scenario(team, story)


def test_ids_that_are_numbers_in_the_table_are_found_in_the_names(team: Team) -> None:
    CUSTOM.start(team)
    team.query("ALTER TABLE applied_files ADD version int; UPDATE applied_files SET version = left(name, 3)::int")
    settings = SETTINGS.replace('id = "name"', "id = \"lpad(version::text, 3, '0')\"\nid_pattern = '^(\\d+)_'")
    runner = RUNNER.replace("VALUES (%s)\", [file.name]", "VALUES (%s, %s)\", [file.name, int(file.name[:3])]")
    pushed = team.push({".neon-hooks.toml": settings, "migrate.py": runner, **dict([CUSTOM.good])})
    assert pushed.passed, pushed.said
    assert [m["id"] for m in pushed.document["migrations"]] == ["003"]


def test_a_variable_of_the_teams_own_gets_the_connection_string(team: Team) -> None:
    CUSTOM.start(team)
    settings = SETTINGS + 'url_variables = ["SHOP"]\n'
    runner = RUNNER.replace('"DATABASE_URL"', '"SHOP"')
    pushed = team.push({".neon-hooks.toml": settings, "migrate.py": runner, **dict([CUSTOM.good])})
    assert pushed.passed, pushed.said


def test_it_also_makes_the_main_of_a_run_without_neon(team: Team) -> None:
    CUSTOM.start(team)
    pushed = team.push(dict([CUSTOM.good]), environ=LOCAL)
    assert pushed.passed, pushed.said
    assert [m["id"] for m in pushed.document["migrations"]] == [CUSTOM.good_id]


def test_an_edit_of_an_applied_file_is_found(team: Team) -> None:
    CUSTOM.start(team)
    pushed = team.push({"migrations/002_add_nickname.sql": "ALTER TABLE customers ADD COLUMN nick text;\n"})
    assert pushed.exit_code == 1
    assert pushed.rules == ["edited-migration"]


def test_files_elsewhere_are_none_of_its_business(team: Team) -> None:
    CUSTOM.start(team)
    pushed = team.push({"queries/report.sql": "SELECT 1"})
    assert pushed.passed and not team.emulator.requests


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("npx migrate", "npx may download a program"),
        ("python migrate.py {url_with_password}", "must not stand on a command line"),
        ("our-migrator up", "our-migrator was not found"),
    ],
)
def test_a_command_that_cannot_be_started_says_why(team: Team, command: str, said: str) -> None:
    CUSTOM.start(team)
    settings = SETTINGS.replace("python migrate.py", command)
    pushed = team.push({".neon-hooks.toml": settings, **dict([CUSTOM.good])})
    assert not pushed.passed and said in pushed.said, pushed.said
    team.assert_main_is_untouched()


def test_the_status_command_is_asked_on_the_test_branch_after_the_migrations(team: Team) -> None:
    CUSTOM.start(team)
    settings = SETTINGS + 'status = "python status.py"\n'
    status = 'columns = connection.execute("SELECT country FROM customers LIMIT 1").description\nprint(columns)\n'
    files = {".neon-hooks.toml": settings, "status.py": CONNECT + status}
    pushed = team.push({**files, **dict([CUSTOM.good])})
    assert pushed.passed, pushed.said
    run = pushed.document["systems"][0]["facts"]["status"]
    assert (run["argv"], run["exit_code"]) == (["python", "status.py"], 0)
    assert "status" in pushed.document["timings"]
    files["status.py"] = CONNECT + 'raise SystemExit("1 file is pending")\n'
    pushed = team.push({**files, "migrations/004_x.sql": "SELECT 1;\n"})
    assert pushed.exit_code == 1
    assert "status-disagrees" in pushed.rules
    assert "after the migrations `python status.py` ended with exit code 1" in pushed.said
    assert "1 file is pending" in pushed.said


def test_a_status_command_that_is_not_there_says_so_before_anything_runs(team: Team) -> None:
    CUSTOM.start(team)
    pushed = team.push({".neon-hooks.toml": SETTINGS + 'status = "our-status"\n', **dict([CUSTOM.good])})
    assert pushed.document["verdict"] == "unknown" and "our-status was not found" in pushed.said
    assert team.left_behind == []


def test_a_command_of_the_teams_own_starts_a_detected_system(team: Team) -> None:
    ALEMBIC.start(team)
    settings = '[[systems]]\nsystem = "alembic"\ncommand = ["python", "-m", "alembic", "-q", "upgrade", "head"]\n'
    pushed = team.push({".neon-hooks.toml": settings, **dict([ALEMBIC.good])})
    assert pushed.passed, pushed.said
    (system,) = pushed.document["systems"]
    assert system["runs"][0]["argv"] == ["python", "-m", "alembic", "-q", "upgrade", "head"]
