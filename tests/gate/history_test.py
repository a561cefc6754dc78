"""The whole history on an empty database: the same schema as main with the push, another one, none at all."""

from __future__ import annotations

import pytest

from tests.fix_gate import Pushed, Team
from tests.gate.stories import ALEMBIC, SQL, Story, alembic

AUTO = {"NEON_HOOKS_TRIALS_HISTORY": ""}


def about(pushed: Pushed) -> list[str]:
    return [rule for rule in pushed.rules if rule.startswith("history-")]


@pytest.mark.parametrize("story", [ALEMBIC, SQL], ids=lambda story: story.system)
def test_it_makes_the_schema_that_main_has_unless_somebody_changed_that_by_hand(team: Team, story: Story) -> None:
    story.start(team)
    pushed = team.push(story.pushing(story.good), environ=AUTO)
    assert pushed.passed and about(pushed) == [], pushed.said
    trial = pushed.document["systems"][0]["facts"]["history"]
    assert (trial["run"]["exit_code"], trial["diff"], trial["reason"]) == (0, "", "")
    assert pushed.document["timings"]["history"] > 0
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
