"""The linter beside real observations: what production's rows confirm stays, what they disprove is a note."""

from __future__ import annotations

from tests.fix_gate import Pushed, Team
from tests.gate.sql_test import shop

SETUP = """
CREATE TABLE big (id int, name varchar(50), code int, seen timestamptz);
INSERT INTO big SELECT i, 'x', i, now() FROM generate_series(1, 150000) i;
ALTER TABLE big ADD CONSTRAINT code_there CHECK (code IS NOT NULL);
CREATE TABLE small (id int);
INSERT INTO small SELECT generate_series(1, 10);
ANALYZE;
"""


def linted(pushed: Pushed) -> list[tuple[str, int, str]]:
    found = [f for f in pushed.document["findings"] if "linter" in f["evidence"]]
    return sorted((f["severity"], f["line"], f["evidence"].get("disproved", "")) for f in found)


def test_what_the_run_disproves_is_a_note_that_says_by_what(team: Team) -> None:
    sql = """\
ALTER TABLE big ALTER COLUMN name TYPE varchar(255);
ALTER TABLE big ALTER COLUMN code SET NOT NULL;
CREATE INDEX i ON small (id);
"""
    shop(team)
    team.query(SETUP + "SELECT 1")
    pushed = team.push({"migrations/0002_widen.sql": sql})
    assert pushed.passed, pushed.said
    assert linted(pushed) == [
        ("note", 1, "no table was rewritten"),
        ("note", 2, "no table was read in full"),
        ("note", 3, "public.small has 10 rows"),
    ]


def test_what_the_run_does_not_disprove_stays(team: Team) -> None:
    sql = """\
ALTER TABLE big ALTER COLUMN id TYPE bigint;
ALTER TABLE big ALTER COLUMN name SET NOT NULL;
-- neon-hooks: accept blocking-index-build because it is night
CREATE INDEX j ON big (code);
"""
    shop(team)
    team.query(SETUP + "SELECT 1")
    pushed = team.push({"migrations/0002_hurts.sql": sql})
    assert [line for severity, line, disproved in linted(pushed) if not disproved and severity != "note"] == [1, 2]
    assert [f["line"] for f in pushed.document["findings"] if f.get("accepted") == "it is night"] == [4]
