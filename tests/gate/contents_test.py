"""What becomes of rows: gone, changed by another type, lost on the way back. Exact numbers, on data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fix_gate import Pushed, Team
from tests.gate.stories import ALEMBIC, DJANGO, SQL, Story, alembic, django

ORDERS = """
create table orders (id int primary key, total numeric(10, 3), placed timestamptz, note varchar(20));
insert into orders select n, n + n % 4 / 1000.0, '2026-01-01 12:00+00', repeat('x', n % 10) from generate_series(1, 40) n;
"""
ON = {"NEON_HOOKS_TRIALS_CONTENTS": "true"}
BOTH = {**ON, "NEON_HOOKS_TRIALS_DOWN_AND_UP": "true"}
RULES = ("rows-removed", "values-changed", "rows-not-compared", "reversible-with-loss", "irreversible", "not-reversible")


def said(pushed: Pushed) -> dict[str, dict[str, Any]]:
    """The findings about rows, each rule once."""
    found = [each for each in pushed.document["findings"] if each["rule"] in RULES]
    assert len({each["rule"] for each in found}) == len(found), found
    return {each["rule"]: each for each in found}


def sql(team: Team, *statements: str, down: str = "") -> Pushed:
    SQL.start(team)
    team.query(ORDERS)
    files = {"migrations/003_x.sql": "\n".join(statements) + "\n", "migrations/003_x.down.sql": down}
    return team.push({path: text for path, text in files.items() if text}, environ=BOTH if down else ON)


def test_values_that_another_type_changes_are_counted_and_those_that_stay_the_same_are_not(team: Team) -> None:
    pushed = sql(
        team,
        "ALTER TABLE orders ALTER COLUMN total TYPE numeric(10, 2);",
        "ALTER TABLE orders ALTER COLUMN id TYPE bigint;",
    )
    assert pushed.exit_code == 1
    finding = said(pushed)["values-changed"]
    assert finding["message"] == "30 values of `orders.total` are not what they were: numeric(10,3) became numeric(10,2)"
    assert (finding["path"], finding["line"]) == ("migrations/003_x.sql", 1)
    assert pushed.document["timings"]["contents"] > 0
    team.assert_main_is_untouched()


def test_text_that_is_cut_and_rows_that_go_are_counted_and_a_comment_accepts_them(team: Team) -> None:
    cut = "ALTER TABLE orders ALTER COLUMN note TYPE varchar(5) USING left(note, 5);"
    pushed = sql(team, cut, "DELETE FROM orders WHERE id > 36;")
    assert pushed.exit_code == 1
    found = said(pushed)
    assert found["values-changed"]["message"].startswith("13 values of `orders.note` are not what they were")
    assert found["rows-removed"]["message"] == "4 rows of 40 in `orders` are gone after the migrations"
    assert (found["rows-removed"]["line"], found["rows-removed"]["evidence"]["removed"]) == (2, 4)
    accepted = [f"-- neon-hooks: accept {rule} because it was agreed" for rule in ("values-changed", "rows-removed")]
    pushed = team.push({"migrations/003_x.sql": f"{accepted[0]}\n{cut}\n{accepted[1]}\nDELETE FROM orders WHERE id > 36;\n"}, environ=ON)
    assert {rule: (f["severity"], f["accepted"]) for rule, f in said(pushed).items() if rule in RULES[:2]} == dict.fromkeys(
        RULES[:2], ("note", "it was agreed")
    )


def test_the_way_back_must_restore_the_data_and_what_it_drops_is_counted(team: Team) -> None:
    pushed = sql(
        team,
        "ALTER TABLE orders ADD COLUMN label text;\nUPDATE orders SET label = 'big' WHERE id > 10;",
        "CREATE TABLE labels (name text PRIMARY KEY);\nINSERT INTO labels VALUES ('big'), ('small');",
        down="DROP TABLE labels;\nALTER TABLE orders DROP COLUMN label;\nUPDATE orders SET note = '' WHERE id <= 5;",
    )
    assert pushed.passed, pushed.said
    found = said(pushed)
    lost = "reversible, but down drops 2 rows of `labels` and 30 values of `orders.label`"
    assert sorted(found["reversible-with-loss"]["message"]) == sorted(lost)
    assert found["not-reversible"]["message"] == "the way back does not restore the data: 5 values of `orders.note` differ"
    assert found["not-reversible"]["severity"] == "warning"


TOOLS = [
    pytest.param(ALEMBIC, (ALEMBIC.good[0], alembic('op.execute("UPDATE customers SET nickname = email"); op.execute("DELETE FROM customers WHERE id = 1")')), "customers", id="alembic"),
    pytest.param(DJANGO, (DJANGO.good[0], django('migrations.RunSQL("DELETE FROM shop_customer WHERE id = 1")')), "shop_customer", id="django"),
]  # fmt: skip


@pytest.mark.parametrize(("story", "migration", "table"), TOOLS)
def test_rows_that_a_migration_in_code_removes(team: Team, story: Story, migration: tuple[str, str], table: str) -> None:
    story.start(team)
    ((rows,),) = team.query(f"select count(*) from {table}")
    ((first,),) = team.query(f"select count(*) from {table} where id = 1")
    pushed = team.push(dict([migration]), environ=BOTH)
    assert pushed.exit_code == 1 and first == 1
    found = said(pushed)
    assert found["rows-removed"]["message"] == f"1 row of {rows} in `{table}` is gone after the migrations"
    assert found["rows-removed"]["path"] == migration[0]
    assert ("missing-down" in pushed.rules) is (story is DJANGO) and "irreversible" not in found


def test_a_table_that_is_too_large_is_said_to_be_left_out(team: Team) -> None:
    SQL.start(team)
    team.query(ORDERS)
    files = {"migrations/003_x.sql": "DELETE FROM orders WHERE id > 36;\n", ".neon-hooks.toml": "[thresholds]\ncompared = 39\n"}
    pushed = team.push(files, environ=ON)
    assert pushed.passed and "rows-removed" not in pushed.rules
    assert said(pushed)["rows-not-compared"]["evidence"]["tables"] == ["public.orders"]
