"""What the deployed code does, tried before and after: known queries and the shortest INSERTs, through real pushes."""

from __future__ import annotations

from typing import Any

import pytest

from neon_hooks.findings import counted
from tests.fix_gate import Pushed, Team
from tests.fix_neon import call, settle
from tests.gate.stories import ALEMBIC, DJANGO, SQL, Story, alembic, django
from tests.gate.stories_native import DBMATE
from tests.gate.stories_node_sql import PRISMA

FILE = "db/queries.sql"
QUERIES = """\
-- What the application sends.
SELECT id, email FROM {table} WHERE email = $1;
SELECT nickname FROM {table} c WHERE c.nickname LIKE :pattern;
INSERT INTO {table} (email, nickname) VALUES (%s, %s);
SELECT 1 FROM nowhere;
SET search_path = shop;
"""
ON = {"NEON_HOOKS_TRIALS_INSERTS": "true", "NEON_HOOKS_TRIALS_QUERIES": FILE}
INSERTS = {"NEON_HOOKS_TRIALS_INSERTS": "true"}
RULES = ("breaks-deployed-query", "breaks-deployed-insert", "deployed-code-untried", "changes-deployed-query")
RENAME = "ALTER TABLE customers RENAME COLUMN nickname TO nick;\n"
CODE = "ALTER TABLE customers ADD COLUMN code text;\nUPDATE customers SET code = 'x';\n"
DEMANDED = CODE + "ALTER TABLE customers ALTER COLUMN code SET NOT NULL;\n"
UP = "-- migrate:up\n{}-- migrate:down\n"
CASES = [
    pytest.param(SQL, RENAME + DEMANDED, CODE, (1, 4), 1, id="sql"),
    pytest.param(DBMATE, UP.format(RENAME + DEMANDED), UP.format(CODE), (2, 5), 1, id="dbmate"),
    pytest.param(PRISMA, RENAME + DEMANDED, CODE, (1, 4), 1, id="prisma"),
    pytest.param(
        ALEMBIC,
        alembic(
            'op.alter_column("customers", "nickname", new_column_name="nick")\n'
            '    op.add_column("customers", sa.Column("code", sa.Text, server_default="x"))\n'
            "    op.execute(\"UPDATE customers SET code = 'x'\")\n"
            '    op.alter_column("customers", "code", nullable=False, server_default=None)'
        ),
        alembic('op.add_column("customers", sa.Column("code", sa.Text, nullable=False, server_default="x"))'),
        (8, 11),
        1,
        id="alembic",
    ),
    pytest.param(  # Django's default is none of the database
        DJANGO,
        django(
            'migrations.RenameField("customer", "nickname", "nick"),\n'
            '        migrations.AddField("customer", "code", models.TextField(default="x"))'
        ),
        django('migrations.AddField("customer", "code", models.TextField(db_default="x"))'),
        (6, 7),
        8,  # those of Django itself, too
        id="django",
    ),
]


def told(pushed: Pushed) -> dict[str, dict[str, Any]]:
    """The findings about deployed code, each rule once."""
    found = [each for each in pushed.document["findings"] if each["rule"] in RULES]
    assert len({each["rule"] for each in found}) == len(found), found
    return {each["rule"]: each for each in found}


def facts(pushed: Pushed) -> dict[str, Any]:
    return dict(pushed.document["systems"][0]["facts"]["deployed"])


@pytest.mark.parametrize(("story", "bad", "good", "lines", "tables"), CASES)
def test_what_the_deployed_code_can_no_longer_do_blocks_and_what_it_can_does_not(
    team: Team, story: Story, bad: str, good: str, lines: tuple[int, int], tables: int
) -> None:
    story.start(team)
    team.deployed({FILE: QUERIES.format(table=story.table)})
    path = story.good[0]
    pushed = team.push(story.pushing((path, bad)), environ=ON)
    assert pushed.exit_code == 1, pushed.said
    found = told(pushed)
    assert {rule: found[rule]["severity"] for rule in found} == dict(zip(RULES, ("error", "error", "note"), strict=False))
    query, insert, untried = (found[rule] for rule in RULES[:3])
    assert query["message"].startswith(f"{FILE}:3 and 1 more query could be prepared before {path.rpartition('/')[2]}, statement 1: ")
    assert query["message"].endswith('and cannot after: column "nickname" does not exist')
    assert [each["line"] for each in query["evidence"]["queries"]] == [3, 4]
    assert (query["path"], insert["path"]) == (path, path)
    assert (query["line"], insert["line"]) == lines
    assert (insert["evidence"]["columns"], insert["evidence"]["column"], insert["evidence"]["sqlstate"]) == (["email"], "code", "23502")
    assert ("db_default" in insert["fix"]) is (story is DJANGO)
    assert untried["evidence"] == {"queries": [f"{FILE}:5"], "tables": []}
    known = facts(pushed)
    assert (known["files"], known["tried"], known["skipped"], known["inserts"]) == (4, 3, 1, tables)
    assert [each["query"]["line"] for each in known["broken"]] == [3, 4] and len(known["refused"]) == 1
    assert (
        f"deployed code, by {story.system} in .: 3 of 4 known queries could be tried, 2 break; 1 statement there is no query;"
        f" an INSERT was tried in {counted(tables, 'table')}, 1 is refused"
    ) in pushed.said
    assert f"is called `nick` now (confirmed: {FILE}:3 and {FILE}:4 worked before and fail after)" in pushed.said
    assert pushed.document["timings"]["deployed code"] > 0

    pushed = team.push(story.pushing((path, good)), environ={**ON, "NEON_HOOKS_VERBOSE": "true"})
    assert pushed.passed, pushed.said
    assert list(told(pushed)) == ["deployed-code-untried"]
    known = facts(pushed)
    assert (known["tried"], known["broken"], known["inserts"], known["refused"]) == (3, [], tables, [])
    assert "3 of 4 known queries could be tried, none breaks" in pushed.said
    team.assert_main_is_untouched()


def test_a_query_that_the_push_does_away_with_is_deployed_still_and_a_comment_accepts_it(team: Team) -> None:
    SQL.start(team)
    team.deployed({FILE: QUERIES.format(table="customers")})
    drop = "ALTER TABLE customers DROP COLUMN nickname;\n"
    team.query("UPDATE customers SET nickname = 'x' WHERE id < 6")
    without = {FILE: "SELECT id FROM customers;\n", "migrations/003_x.sql": drop}
    pushed = team.push(without, environ={**ON, "NEON_HOOKS_TRIALS_QUERIES": "db"})
    assert pushed.exit_code == 1
    found = told(pushed)["breaks-deployed-query"]
    assert found["message"].startswith(f"{FILE}:3 of the main line and 1 more query could be prepared before 003_x.sql, statement 1")
    assert found["fix"].startswith("first deploy code that does not name it")
    lost = next(each for each in pushed.document["findings"] if each["rule"] == "data-dropped")
    assert lost["message"].endswith(f"(confirmed: {FILE}:3 of the main line and {FILE}:4 of the main line worked before and fail after)")
    accepted = "".join(f"-- neon-hooks: accept {rule} because nobody calls it\n" for rule in ("breaks-deployed-query", "data-dropped"))
    pushed = team.push({"migrations/003_x.sql": accepted + drop}, environ=ON)
    assert pushed.passed, pushed.said
    assert told(pushed)["breaks-deployed-query"]["accepted"] == "nobody calls it"


def test_queries_that_do_not_name_what_is_renamed_prove_nothing_and_are_said_so(team: Team) -> None:
    SQL.start(team)
    team.deployed({FILE: "SELECT id FROM customers;\nSELECT email FROM customers;\n"})
    pushed = team.push({"migrations/003_x.sql": RENAME}, environ=ON)
    assert pushed.passed and told(pushed) == {}
    (renamed,) = (each for each in pushed.document["findings"] if each["rule"] == "breaking-rename")
    assert renamed["message"] == (
        "`customers.nickname` is called `nick` now (not one of the 2 known queries that could be tried fails on it; others may)"
    )
    assert "2 of 2 known queries could be tried, none breaks" in pushed.said


def test_a_file_that_is_not_there_is_a_mistake_in_the_settings(team: Team) -> None:
    SQL.start(team)
    pushed = team.push({"migrations/003_x.sql": CODE, ".neon-hooks.toml": '[trials]\nqueries = ["db/quries.sql"]\n'})
    assert pushed.exit_code != 0 and "[trials] queries: there is no SQL file 'db/quries.sql' in the pushed commit" in pushed.said
    assert team.left_behind == []


def test_views_functions_and_enum_values_that_queries_use(team: Team) -> None:
    SQL.start(team)
    team.query(
        "create type mood as enum ('calm', 'cross'); create view emails as select email from customers;"
        "create function shout(text) returns text language sql as 'select upper($1)'; create table moods (feeling mood)"
    )
    queries = "SELECT email FROM emails;\nSELECT shout(email) FROM customers;\nSELECT 1 FROM moods WHERE feeling = 'cross';\n"
    migration = "DROP VIEW emails;\nDROP FUNCTION shout(text);\nALTER TYPE mood RENAME VALUE 'cross' TO 'angry';\n"
    pushed = team.push({FILE: queries, "migrations/003_x.sql": migration}, environ=ON)
    found = [each for each in pushed.errors if each["rule"] == "breaks-deployed-query"]
    assert [(f["line"], f["evidence"]["sqlstate"], f["evidence"]["name"], len(f["evidence"]["queries"])) for f in found] == [
        (1, "42P01", "emails", 1), (2, "42883", "shout", 1), (3, "22P02", "cross", 1),
    ]  # fmt: skip


def test_what_still_works_and_returns_something_else_is_a_warning(team: Team) -> None:
    SQL.start(team)
    team.query("alter table customers add column code int; create type mood as enum ('calm'); create table moods (m mood)")
    queries = (
        "SELECT * FROM customers;\nSELECT nickname AS n FROM customers;\nSELECT id FROM customers WHERE code = $1;\n"
        "SELECT code FROM customers WHERE code = $1;\nSELECT m FROM moods;\n"
    )
    migration = (
        "ALTER TABLE customers DROP COLUMN nickname;\nALTER TABLE customers ALTER COLUMN code TYPE text;\n"
        "ALTER TABLE customers ALTER COLUMN email TYPE varchar;\nCREATE TYPE mood2 AS ENUM ('calm', 'cross');\n"
        "ALTER TABLE moods ALTER COLUMN m TYPE mood2 USING m::text::mood2;\nDROP TYPE mood;\nALTER TYPE mood2 RENAME TO mood;\n"
    )
    pushed = team.push({FILE: queries, "migrations/003_x.sql": migration}, environ=ON)
    found = [each for each in pushed.document["findings"] if each["rule"] == "changes-deployed-query"]
    assert sorted((each["line"], each["message"].partition(", but ")[2], each["severity"]) for each in found) == [
        (1, "returns no `nickname` any more", "warning"),
        (2, "returns text for `code`, it was integer", "warning"),
        (2, "takes text for `$1`, it was integer", "warning"),
    ]
    assert len(facts(pushed)["changed"]) == 3
    assert "5 of 5 known queries could be tried, 1 breaks; 3 take or return something else" in pushed.said


def test_a_trigger_whose_function_names_what_is_gone(team: Team) -> None:
    """Nothing but running it can tell; another table's column that demands a value is met in the same way."""
    SQL.start(team)
    team.query(
        "create table log (id int, what text); create table orders (id int not null);"
        "create function note() returns trigger language plpgsql as 'begin insert into log (what) values (new.nickname); return new; end';"
        "create function count_it() returns trigger language plpgsql as 'begin insert into log (what) values (''x''); return new; end';"
        "create trigger note after insert on customers for each row execute function note();"
        "create trigger count_it after insert on orders for each row execute function count_it()"
    )
    migration = "ALTER TABLE customers DROP COLUMN nickname;\nALTER TABLE log ALTER COLUMN id SET NOT NULL;\n"
    pushed = team.push({"migrations/003_x.sql": migration}, environ=INSERTS)
    found = {each["evidence"]["table"]: each for each in pushed.errors if each["rule"] == "breaks-deployed-insert"}
    assert {table: (each["evidence"]["sqlstate"], each["line"]) for table, each in found.items()} == {
        "public.customers": ("42703", 1), "public.orders": ("23502", 2),
    }  # fmt: skip
    assert 'record "new" has no field "nickname"' in found["public.customers"]["message"]


def test_a_migration_that_ends_all_other_sessions_hides_nothing(team: Team) -> None:
    SQL.start(team)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = current_user;\n"
    files = {FILE: "SELECT nickname FROM customers;\n", "migrations/003_x.sql": end + RENAME}
    pushed = team.push(files, environ=ON)
    assert "breaks-deployed-query" in told(pushed), pushed.said


def test_a_column_that_may_not_be_null_any_more_is_judged_by_the_rows_before(team: Team) -> None:
    """The last step of adding a column, when the deployed code names it, and the same step taken too early."""
    SQL.start(team)
    for name in ("always", "often", "unknown"):
        team.query(f"create table {name} (id int not null, a text); insert into {name} select n, 'x' from generate_series(1, 100) n")
    team.query("update often set a = null where id <= 25; analyze always; analyze often")
    migration = "UPDATE often SET a = '' WHERE a IS NULL;\n" + "".join(
        f"ALTER TABLE {name} ALTER COLUMN a SET NOT NULL;\n" for name in ("always", "often", "unknown")
    )
    pushed = team.push({"migrations/003_x.sql": migration}, environ=INSERTS)
    found = [each for each in pushed.document["findings"] if each["rule"] == "breaks-deployed-insert"]
    assert [(each["severity"], each["line"], each["message"].partition(" constraint")[2]) for each in found] == [
        ("error", 3, " (about 25 % of the rows had none before)"),
        ("warning", 4, " (whether the deployed code always gives it one is not known)"),
    ]
    assert pushed.exit_code == 1 and facts(pushed)["inserts"] == 4
    both = "ALTER TABLE always ALTER COLUMN a SET NOT NULL;\nALTER TABLE always ADD COLUMN b text;\nUPDATE always SET b = a;\n"
    pushed = team.push({"migrations/003_x.sql": both + "ALTER TABLE always ALTER COLUMN b SET NOT NULL;\n"}, environ=INSERTS)
    assert (told(pushed)["breaks-deployed-insert"]["line"], told(pushed)["breaks-deployed-insert"]["evidence"]["column"]) == (4, "b")


def test_without_known_queries_only_inserts_are_tried_and_a_dropped_table_is_no_refusal(team: Team) -> None:
    SQL.start(team)
    team.query("create table old (id int not null); create table kept (id int not null, a text)")
    pushed = team.push({"migrations/003_x.sql": "DROP TABLE old;\nALTER TABLE kept RENAME COLUMN id TO key;\n"}, environ=INSERTS)
    assert pushed.exit_code == 1
    known = facts(pushed)
    assert (known["files"], known["tried"], known["inserts"], known["untried"]) == (0, 0, 2, [])
    insert = told(pushed)["breaks-deployed-insert"]
    assert insert["message"].endswith('refuses it after: column "id" of relation "kept" does not exist')
    assert (insert["line"], insert["evidence"]["columns"], insert["evidence"]["column"]) == (2, ["id"], "id")


PRODUCTION = {"NEON_HOOKS_TRIALS_PRODUCTION_QUERIES": "true"}


def test_the_queries_of_production_are_read_only_where_the_settings_allow_it(team: Team) -> None:
    SQL.start(team)
    if not team.query("select 1 from pg_available_extensions where name = 'pg_stat_statements'"):
        pytest.skip("needs pg_stat_statements")
    pushed = team.push({"migrations/003_x.sql": CODE}, environ=PRODUCTION)
    assert pushed.passed
    assert facts(pushed)["unread"] == "the database has no extension pg_stat_statements"
    team.query("create extension pg_stat_statements")
    for name in ("Jane", "Joe", "Jim"):
        team.query(f"select email from customers where nickname = '{name}'")
    team.query("create role passing password 'canary-password-canary-password'")
    looked = "select query, calls from pg_stat_statements where query ~* 'read only|pg_stat_statements s' order by 1"
    before = team.query(looked)
    assert team.push({"migrations/004_y.sql": "ALTER TABLE customers ADD COLUMN y text;\n"}).passed
    assert team.query(looked) == before  # not allowed: not looked at
    pushed = team.push({"migrations/005_z.sql": "ALTER TABLE customers DROP COLUMN nickname;\n"}, environ=PRODUCTION)
    found = told(pushed)["breaks-deployed-query"]
    assert found["message"].startswith("a query of production (3 calls) could be prepared before 005_z.sql")
    assert found["severity"] == "warning" and "pg_stat_statements_reset()" in found["fix"]
    assert found["evidence"]["queries"][0]["sql"] == "select email from customers where nickname = $1"
    assert facts(pushed)["production"] >= 1
    assert not [word for word in ("canary", "Jane") if word in str(pushed.document) + pushed.said]
    new = [" ".join(query.split()[:4]) for query, calls in team.query(looked) if (query, calls) not in before]
    assert new == ["begin transaction read only", "select s.query, sum(s.calls)::bigint from", "set session characteristics as"]
    team.assert_main_is_untouched()


def test_a_compute_of_production_that_sleeps_is_not_woken_up(team: Team) -> None:
    SQL.start(team)
    (compute,) = call(team.emulator, "GET", "/endpoints")["endpoints"]
    call(team.emulator, "POST", f"/endpoints/{compute['id']}/suspend")
    settle(team.emulator)
    pushed = team.push({"migrations/003_x.sql": CODE}, environ=PRODUCTION)
    assert pushed.passed and facts(pushed)["unread"] == "the compute of main does not run, and remembers no queries then"
    (compute,) = call(team.emulator, "GET", "/endpoints")["endpoints"]
    assert compute["current_state"] == "idle"
