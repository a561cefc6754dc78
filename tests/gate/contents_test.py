"""What becomes of rows: gone, changed by another type, lost on the way back. Exact numbers, on data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fix_gate import Pushed, Team
from tests.gate.stories import ALEMBIC, DJANGO, SQL, Story, alembic, django
from tests.gate.stories_native import DBMATE, GOOSE
from tests.gate.stories_node_sql import DRIZZLE, PRISMA

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


# Tools whose migrations are SQL, with their own files: what is taken away, and accepted statement by statement.
TAKEN = {
    "data-dropped": "ALTER TABLE orders DROP COLUMN placed;",
    "values-changed": "ALTER TABLE orders ALTER COLUMN total TYPE numeric(10, 2);",
    "rows-removed": "DELETE FROM orders WHERE id > 36;",
}
NUMBERS = {
    "data-dropped": "ALTER TABLE takes away 40 values of `orders.placed`",
    # Of the thirty that change three are in the rows that go.
    "values-changed": "27 values of `orders.total` are not what they were: numeric(10,3) became numeric(10,2)",
    "rows-removed": "4 rows of 40 in `orders` are gone after the migrations",
}
BREAK = {"drizzle": "\n--> statement-breakpoint\n"}


def migration(story: Story, up: str, down: str = "") -> dict[str, str]:
    """The files of a push that brings ``up``, in the form of the story's tool."""
    path = story.good[0]
    if story is GOOSE:
        return {path: f"-- +goose Up\n{up}\n-- +goose Down\n{down}\n"}
    if story is DBMATE:
        return {path: f"-- migrate:up\n{up}\n-- migrate:down\n{down}\n"}
    return story.pushing((path, up.replace("\n\n", BREAK.get(story.system, "\n"))))


@pytest.mark.parametrize("story", [PRISMA, DRIZZLE, GOOSE, DBMATE], ids=lambda story: story.system)
def test_what_a_migration_in_sql_takes_away_blocks_with_the_numbers_until_each_is_accepted(team: Team, story: Story) -> None:
    story.start(team)
    team.query(ORDERS)
    pushed = team.push(migration(story, "\n\n".join(TAKEN.values()), "SELECT 1;"), environ=ON)
    assert pushed.exit_code == 1
    errors = {each["rule"]: each for each in pushed.errors}
    assert errors.keys() == TAKEN.keys() and all(errors[rule]["message"].endswith(words) for rule, words in NUMBERS.items()), errors
    lines = team.clone.path.joinpath(story.good[0]).read_text().splitlines()
    assert {rule: lines[each["line"] - 1] for rule, each in errors.items()} == TAKEN
    told = {rule: f"-- neon-hooks: accept {rule} because nobody asks for it\n{sql}" for rule, sql in TAKEN.items()}
    one = TAKEN | {"values-changed": told["values-changed"]}  # bound to its statement: the others are as they were
    pushed = team.push(migration(story, "\n\n".join(one.values()), "SELECT 1;"), environ=ON)
    assert {each["rule"] for each in pushed.errors} == {"data-dropped", "rows-removed"}
    pushed = team.push(migration(story, "\n\n".join(told.values()), "SELECT 1;"), environ=ON)
    assert pushed.passed, pushed.said
    team.assert_main_is_untouched()


@pytest.mark.parametrize("story", [PRISMA, DRIZZLE], ids=lambda story: story.system)
def test_where_the_tool_knows_no_way_back_the_report_says_how_to_go_back_with_neon(team: Team, story: Story) -> None:
    story.start(team)
    pushed = team.push(migration(story, "ALTER TABLE customers ADD COLUMN country text;"), environ=BOTH)
    assert pushed.passed, pushed.said
    note = said(pushed)["irreversible"]
    assert (note["severity"], note["message"]) == ("note", f"{story.system} knows no way back of migrations")
    assert "restore the main Neon database branch to the moment before the deployment" in note["fix"]
    assert pushed.document["systems"][0]["facts"]["down_and_up"] is None


@pytest.mark.parametrize("story", [GOOSE, DBMATE], ids=lambda story: story.system)
def test_what_the_down_part_of_an_sql_tool_drops_and_what_it_does_not_restore(team: Team, story: Story) -> None:
    story.start(team)
    team.query("INSERT INTO customers (email) SELECT 'n' || n FROM generate_series(1, 12010) n")
    ((rows,),) = team.query("select count(*) from customers")
    up = (
        "ALTER TABLE customers ADD COLUMN alias text;\n"
        f"UPDATE customers SET alias = email WHERE id > {rows - 12003};\n"
        "CREATE TABLE aliases (name text PRIMARY KEY);\nINSERT INTO aliases SELECT 'a' || n FROM generate_series(1, 7) n;"
    )
    down = "DROP TABLE aliases;\nALTER TABLE customers DROP COLUMN alias;"
    pushed = team.push(migration(story, up, down), environ=BOTH)
    assert pushed.passed, pushed.said
    found = said(pushed)
    assert found["reversible-with-loss"]["message"] in (
        "reversible, but down drops 12 003 values of `customers.alias` and 7 rows of `aliases`",
        "reversible, but down drops 7 rows of `aliases` and 12 003 values of `customers.alias`",
    )
    assert "not-reversible" not in found


@pytest.mark.parametrize("story", [GOOSE, DBMATE], ids=lambda story: story.system)
def test_a_down_part_that_does_not_restore_the_values_is_told_with_their_number(team: Team, story: Story) -> None:
    story.start(team)
    up = "ALTER TABLE customers ADD COLUMN alias text;"
    down = "ALTER TABLE customers DROP COLUMN alias;\nUPDATE customers SET nickname = 'none' WHERE id <= 9;"
    pushed = team.push(migration(story, up, down), environ=BOTH)
    assert said(pushed)["not-reversible"]["message"] == (
        "the way back does not restore the data: 9 values of `customers.nickname` differ"
    )
