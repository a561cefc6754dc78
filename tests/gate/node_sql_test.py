"""Drizzle, Prisma and Supabase through the shared scenarios, and what only they can show."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from neon_hooks.dsn import Dsn
from tests.fix_gate import Team
from tests.gate import scenarios
from tests.gate.scenarios import Scenario, each
from tests.gate.stories import Story
from tests.gate.stories_node_sql import (
    APRIL,
    COUNTRY,
    DRIZZLE,
    MARCH,
    MODELS,
    PRISMA,
    PRISMA_6,
    PRISMA_PUSH,
    STORIES,
    SUPABASE,
    journal,
)

OTHER = "CREATE TABLE other (id int);\n"
OTHER_HASH = hashlib.sha256(OTHER.encode()).hexdigest()  # what drizzle-kit records


@each(STORIES)
def test_story(team: Team, story: Story, scenario: Scenario) -> None:
    scenario(team, story)


@pytest.mark.parametrize("story", [PRISMA, PRISMA_6, SUPABASE], ids=lambda story: story.project)
def test_postgres_words_are_told_where_no_driver_shim_can_watch(team: Team, story: Story) -> None:
    story.start(team)
    path, text = story.bad
    pushed = team.push({path: "ALTER TABLE customers ADD COLUMN country text;\n" + text})
    (finding,) = pushed.errors
    assert (finding["rule"], finding["path"]) == ("migration-fails", path)
    assert finding["evidence"]["sqlstate"] == "23505"
    assert "Key (email)=" in finding["evidence"]["detail"]
    assert "CREATE UNIQUE INDEX email_key" in finding["evidence"]["statement"]
    assert "SQLSTATE 23505 (unique_violation)" in pushed.said and "remove the duplicates" in finding["fix"]
    assert finding["line"] == 3  # Prisma does not say which statement it was; the recorder saw it


def test_an_entry_of_drizzles_journal_that_would_be_skipped_in_silence_is_blocked(team: Team) -> None:
    DRIZZLE.start(team)
    # Merged and deployed first, though it was generated later.
    team.deployed({**journal(("0002_other", APRIL)), "drizzle/0002_other.sql": OTHER})
    team.query('CREATE TABLE other (id int); INSERT INTO drizzle.__drizzle_migrations (hash, created_at)'
               f" VALUES ('{OTHER_HASH}', {APRIL})")  # fmt: skip
    pushed = team.push({**journal(("0002_other", APRIL), ("0003_country", MARCH)), "drizzle/0003_country.sql": COUNTRY})
    assert pushed.exit_code == 1
    assert pushed.rules == ["skipped-migration", "out-of-order"]
    finding = pushed.document["findings"][0]
    assert (finding["severity"], finding["path"]) == ("error", "drizzle/0003_country.sql")
    assert "will never run" in pushed.said


def test_an_entry_that_production_skipped_before_is_a_warning_for_the_next_push(team: Team) -> None:
    DRIZZLE.start(team)
    entries = (("0002_other", APRIL), ("0003_country", MARCH))
    files = {"drizzle/0002_other.sql": OTHER, "drizzle/0003_country.sql": COUNTRY}
    team.deployed({**journal(*entries), **files})
    team.query(f"CREATE TABLE other (id int); INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('{OTHER_HASH}', {APRIL})")
    pushed = team.push({**journal(*entries, ("0004_more", APRIL + 1)), "drizzle/0004_more.sql": "CREATE TABLE more ();\n"})
    assert pushed.passed, pushed.said
    (finding,) = [each for each in pushed.document["findings"] if each["severity"] != "note"]
    assert (finding["rule"], finding["severity"], finding["path"]) == (
        "skipped-migration", "warning", "drizzle/0003_country.sql",
    )  # fmt: skip


@pytest.mark.parametrize("story", [PRISMA, PRISMA_6], ids=lambda story: story.project)
def test_a_database_that_prisma_has_not_baselined_is_explained(team: Team, story: Story) -> None:
    story.start(team)
    team.query("drop table _prisma_migrations")
    pushed = team.push(story.pushing(story.good))
    (finding,) = pushed.errors
    assert finding["rule"] == "migration-fails" and "P3005" in finding["message"]
    assert "prisma migrate resolve" in finding["fix"]


def test_a_migration_that_failed_in_production_is_explained(team: Team) -> None:
    PRISMA.start(team)
    team.query("insert into _prisma_migrations (id, checksum, migration_name) values ('x', 'y', '20250215000000_half')")
    pushed = team.push(PRISMA.pushing(PRISMA.good))
    (finding,) = pushed.errors
    assert finding["rule"] == "failed-record" and "20250215000000_half failed" in finding["message"]
    assert "`prisma migrate resolve --rolled-back 20250215000000_half`" in finding["fix"]
    assert pushed.document["systems"][0]["runs"] == []
    team.assert_main_is_untouched()


def test_an_address_in_prismas_schema_is_refused_before_anything_is_run(team: Team) -> None:
    PRISMA_6.start(team)
    schema = (team.clone.path / "prisma/schema.prisma").read_text()
    literal = schema.replace('env("DIRECT_URL")', '"postgresql://app:canary-password@production.example.com/shop"')
    pushed = team.push({"prisma/schema.prisma": literal, **PRISMA_6.pushing(PRISMA_6.good)})
    assert pushed.exit_code == 1 and "the address of a database is written into the datasource" in pushed.said
    assert "canary-password" not in pushed.said
    team.assert_main_is_untouched()


def test_an_environment_that_prismas_configuration_changes_is_changed_back(team: Team) -> None:
    PRISMA.start(team)
    config = (team.clone.path / "prisma.config.ts").read_text()
    loud = 'process.env.DATABASE_URL = "postgresql://production.example.com/shop";\n'
    config = config.replace("export default", loud + "export default")
    pushed = team.push({"prisma.config.ts": config, **PRISMA.pushing(PRISMA.good)})
    assert pushed.passed, pushed.said


@pytest.mark.parametrize(
    "scenario",
    [
        scenarios.a_good_migration_goes_through_in_silence_and_main_does_not_have_it,
        scenarios.a_second_run_has_nothing_left_to_do,
        scenarios.a_hard_coded_production_database_stays_untouched,
        scenarios.a_tool_that_ends_without_error_and_without_work_is_blocked,
    ],
)
def test_prisma_db_push(team: Team, scenario: Scenario) -> None:
    scenario(team, PRISMA_PUSH)


def test_prisma_db_push_that_could_lose_data_is_blocked_in_prismas_words(team: Team) -> None:
    PRISMA_PUSH.start(team)
    pushed = team.push(dict([PRISMA_PUSH.bad]))
    assert pushed.exit_code == 1
    assert pushed.rules == ["migration-fails"] and "data loss" in pushed.said
    team.assert_main_is_untouched()


@pytest.mark.parametrize(
    "settings",
    [
        "schema: 'prisma/schema.prisma'",
        "engine: 'classic', schema: 'prisma/schema.prisma', datasource: { url: URL, directUrl: URL }",
    ],
)
def test_a_configuration_of_prisma_6_that_forces_its_address_is_overruled(team: Team, settings: str) -> None:
    def configured(decoy: Dsn) -> dict[str, str]:
        forced = f"const URL = process.env.DATABASE_URL = process.env.DIRECT_URL = '{decoy.uri()}';\n"
        head = "import { defineConfig } from 'prisma/config';\n"
        return {"prisma.config.ts": f"{head}{forced}export default defineConfig({{ {settings} }});\n"}

    scenarios.a_hard_coded_production_database_stays_untouched(team, replace(PRISMA_6, hard_coded=configured))


def test_a_comment_in_the_schema_of_prisma_db_push_is_nothing_to_validate(team: Team) -> None:
    PRISMA_PUSH.start(team)
    pushed = team.push({"prisma/schema.prisma": "// The shop.\n" + MODELS})
    assert pushed.passed and pushed.said.count("Neon") == 0
    assert pushed.document.get("neon_branch") is None


def test_supabase_refuses_what_is_older_than_the_last_one_that_is_applied(team: Team) -> None:
    SUPABASE.start(team)
    pushed = team.push({"supabase/migrations/20250115000000_between.sql": COUNTRY})
    assert pushed.exit_code == 1
    assert "migration-fails" in pushed.rules and "--include-all" in pushed.said
