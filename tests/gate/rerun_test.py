"""Migrations that are cut off and started again: where they come to the same end, and where they do not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fix_gate import Pushed, Team
from tests.gate.stories import ALEMBIC, DJANGO, SQL, Story, alembic, django

ON = {"NEON_HOOKS_TRIALS_RERUN": ""}
RULES = ("not-rerunnable", "rerun-differs", "lock-left-behind", "rerun-not-tried")


def said(pushed: Pushed) -> dict[str, dict[str, Any]]:
    """The findings about interruptions, each rule once."""
    found = [each for each in pushed.document["findings"] if each["rule"] in RULES]
    assert len({each["rule"] for each in found}) == len(found), found
    return {each["rule"]: each for each in found}


def cuts(pushed: Pushed) -> list[tuple[str, bool]]:
    """Each interruption: the first words of the statement, and whether it was during it."""
    trial = pushed.document["systems"][0]["facts"]["rerun"]
    return [(" ".join(cut["sql"].split()[:3]), cut["during"]) for cut in trial["cuts"]] if trial else []


def test_plain_sql(team: Team) -> None:
    SQL.start(team)
    pushed = team.push({"migrations/003_x.sql": "ALTER TABLE customers ADD COLUMN a text;\nALTER TABLE customers ADD COLUMN b text;\n"}, environ=ON)
    print(pushed.said); import json; print(json.dumps(pushed.document["systems"][0]["facts"]["rerun"], indent=1), pushed.document["timings"])
    assert 0
