"""Bookkeeping, files and schema of main beside those at the pushed commit: what agrees is silent, what does not is told.

The whole history on an empty database: the same schema as main with the push, another one, none at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.fix_gate import Pushed, Team
from tests.gate.stories import ALEMBIC, DJANGO, SQL, Story, alembic
from tests.gate.stories_javascript import KNEX
from tests.gate.stories_native import DBMATE, GOLANG_MIGRATE
from tests.gate.stories_node_sql import PRISMA
from tests.gate.stories_rails_jvm import LIQUIBASE

AUTO = {"NEON_HOOKS_TRIALS_HISTORY": ""}
TOLD = ("history-differs", "history-not-tried", "behind-main", "pending-on-main", "checksum-mismatch", "failed-record", "stale-lock")


def about(pushed: Pushed) -> list[str]:
    return [rule for rule in pushed.rules if rule.startswith("history-")]


def told(pushed: Pushed) -> dict[str, tuple[str, str, str]]:
    """By rule: severity, path and message."""
    found = (f for f in pushed.document["findings"] if f["rule"] in TOLD)
    return {f["rule"]: (f["severity"], f["path"], f["message"]) for f in found}


@dataclass(frozen=True)
class Case:
    """``ghost`` puts a row for a migration ``id`` into main's bookkeeping, that the repository does not have: applied
    there and missing here. ``edited``: what an old file is changed to, whose checksum main remembers.
    """

    story: Story
    ghost: str = ""
    id: str = ""
    edited: str = ""


CASES = (
    Case(ALEMBIC),
    Case(DJANGO, "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0009_ghost', now())", "shop.0009_ghost"),
    Case(
        PRISMA,
        "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)"
        " VALUES ('9', 'x', now(), '20250209000000_ghost', 1)",
        "20250209000000_ghost", "prisma/migrations/20250201000000_add_nickname/migration.sql",
    ),
    Case(DBMATE, "INSERT INTO schema_migrations (version) VALUES ('20240102030405')", "20240102030405"),
    Case(SQL),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.story.system)
def test_what_agrees_is_silent_and_what_does_not_is_told(team: Team, case: Case) -> None:
    """First all is well. Then main is what it should not be, in every way at once."""
    story = case.story
    story.start(team)
    well = team.push(story.pushing(story.good), environ=AUTO)
    assert well.passed and told(well) == {}, well.said
    trial = well.document["systems"][0]["facts"]["history"]
    assert (trial["run"]["exit_code"], trial["diff"], trial["reason"]) == (0, "", "")
    assert well.document["timings"]["history"] > 0
    team.assert_main_is_untouched()  # the push went to the main line, and is not deployed
    team.query(f"ALTER TABLE {story.table} ADD COLUMN by_hand int")
    if case.ghost:
        team.query(case.ghost)
    if case.edited:
        team.deployed({case.edited: (team.clone.path / case.edited).read_text() + "-- By whom?\n"})
    later = story.after_good if story.after_good_id else ("migrations/004_more.sql", "ALTER TABLE customers ADD COLUMN city text;\n")
    pushed = team.push(story.pushing(later), environ=AUTO)
    found = told(pushed)
    directory = found["history-differs"][1]
    assert found.pop("history-differs") == (
        "warning", directory,
        "the whole history on an empty database makes another schema: - is only on main with this push, + only there",
    )  # fmt: skip
    (diff,) = (f["quote"] for f in pushed.document["findings"] if f["rule"] == "history-differs")
    missing = [line for line in diff.splitlines() if "country" not in line]  # not deployed, and not recorded either
    assert missing == [f"-column public.{story.table}.by_hand integer"], diff
    if story.records:
        assert found.pop("pending-on-main") == (
            "note", story.good[0],
            f"1 migration of the main line is not applied on the main Neon database branch yet: {story.good_id}",
        )  # fmt: skip
    if case.ghost:
        words = f"the main Neon database branch has applied 1 migration that this push does not have: {case.id}"
        assert found.pop("behind-main") == ("warning", directory, words)
    if case.edited:
        assert found.pop("checksum-mismatch")[:2] == ("warning", case.edited)
    assert found == {} and pushed.passed, pushed.said
    team.assert_main_is_untouched()


@dataclass(frozen=True)
class Stuck:
    """``sql`` leaves main's bookkeeping as a deployment does that was killed, or that failed."""

    story: Story
    sql: str
    rule: str
    message: str
    repair: str


STUCK = (
    Stuck(
        PRISMA,
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, applied_steps_count)"
        " VALUES ('9', 'x', '20250201000000_add_nickname', 0)",
        "failed-record",
        "20250201000000_add_nickname failed on the main Neon database branch (table _prisma_migrations), so nothing was tried",
        "`prisma migrate resolve --rolled-back 20250201000000_add_nickname`, or `--applied 20250201000000_add_nickname`",
    ),
    Stuck(
        GOLANG_MIGRATE, "UPDATE schema_migrations SET dirty = true", "failed-record",
        "2 failed on the main Neon database branch (table schema_migrations), so nothing was tried",
        "`migrate force 2`, or force the version before it where nothing of it was kept",
    ),
    Stuck(
        KNEX, "UPDATE knex_migrations_lock SET is_locked = 1", "stale-lock",
        "the migration tool's lock is taken by somebody (table knex_migrations_lock), so nothing was tried",
        "`knex migrate:unlock`",
    ),
    Stuck(
        LIQUIBASE, "UPDATE databasechangeloglock SET locked = true, lockedby = 'ci (10.0.0.1)'", "stale-lock",
        "the migration tool's lock is taken by ci (10.0.0.1) (table databasechangeloglock), so nothing was tried",
        "`liquibase release-locks`",
    ),
)  # fmt: skip


@pytest.mark.parametrize("stuck", STUCK, ids=lambda stuck: stuck.story.system)
def test_a_state_that_was_copied_with_the_data_and_stops_every_deployment(team: Team, stuck: Stuck) -> None:
    stuck.story.start(team)
    team.query(stuck.sql)
    pushed = team.push(stuck.story.pushing(stuck.story.good), environ=AUTO)
    assert pushed.exit_code == 1 and list(told(pushed)) == [stuck.rule], pushed.said
    assert told(pushed)[stuck.rule][::2] == ("error", stuck.message)
    (finding,) = pushed.errors
    assert finding["fix"].endswith(f": {stuck.repair}")
    assert pushed.document["systems"][0]["runs"] == []  # the tool would wait for minutes, or say the same
    team.assert_main_is_untouched()


def test_what_main_has_of_somebodys_hand_and_a_history_that_no_longer_runs_are_told(team: Team) -> None:
    ALEMBIC.start(team)
    team.query("alter table customers add column by_hand text")
    pushed = team.push(dict([ALEMBIC.good]), environ=AUTO)
    assert pushed.passed and about(pushed) == ["history-differs"]
    assert "-column public.customers.by_hand text" in pushed.said
    team.query("alter table customers add column country text; update alembic_version set version_num = 'c3'")
    pushed = team.push({"migrations/versions/d4.py": alembic('op.execute("UPDATE customers SET by_hand = email")', "d4", "c3")}, environ=AUTO)
    assert pushed.passed and about(pushed) == ["history-differs"]
    assert "does not run on an empty database" in pushed.said and 'column "by_hand" of relation' in pushed.said


def test_a_long_history_is_left_out_with_the_reason(team: Team) -> None:
    SQL.start(team)
    team.deployed({f"migrations/1{n:02}_x.sql": "SELECT 1;\n" for n in range(20)})
    pushed = team.push({"migrations/200_x.sql": "SELECT 1;\n"}, environ=AUTO)
    assert about(pushed) == ["history-not-tried"]
    (note,) = (each for each in pushed.document["findings"] if each["rule"] == "history-not-tried")
    assert "it has 23 migrations" in note["message"] and "`[trials] history = true`" in note["message"]
