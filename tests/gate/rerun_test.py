"""Migrations that are cut off and started again: where they come to the same end, and where they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from neon_hooks.emulator.faults import Fault
from tests.fix_gate import Pushed, Team
from tests.gate.stories import ALEMBIC, DJANGO, DJANGO_MIGRATION, SQL, Story, alembic
from tests.gate.stories_javascript import KNEX
from tests.gate.stories_native import DBMATE, GOLANG_MIGRATE, GOOSE
from tests.gate.stories_node_sql import PRISMA

ON = {"NEON_HOOKS_TRIALS_RERUN": "true"}  # all places, however long that takes
DEFAULT = {"NEON_HOOKS_TRIALS_RERUN": ""}
RULES = ("not-rerunnable", "rerun-differs", "lock-left-behind", "rerun-not-tried")
TWO_COLUMNS = "ALTER TABLE customers ADD COLUMN a text;\nALTER TABLE customers ADD COLUMN b text;\n"
INDEX = "CREATE INDEX CONCURRENTLY ix_email ON customers (email);\n"
IF_NOT_THERE = TWO_COLUMNS.replace("COLUMN", "COLUMN IF NOT EXISTS")
IF_MISSING = INDEX.replace("ix_email", "IF NOT EXISTS ix_email")
GENTLE = "DROP INDEX CONCURRENTLY IF EXISTS ix_email;\n" + INDEX


def said(pushed: Pushed) -> dict[str, dict[str, Any]]:
    """The findings about interruptions, each rule once."""
    found = [each for each in pushed.document["findings"] if each["rule"] in RULES]
    assert len({each["rule"] for each in found}) == len(found), found
    return {each["rule"]: each for each in found}


def cuts(pushed: Pushed) -> list[str]:
    """Each interruption: when it was, and the first words of the statement."""
    trial = pushed.document["systems"][0]["facts"]["rerun"]
    assert trial
    return [f"{'during' if c['during'] else 'after'} {' '.join(c['sql'].split()[:2]).lower()}" for c in trial["cuts"]]


def autocommit(*lines: str) -> str:
    return alembic("with op.get_context().autocommit_block():\n" + "\n".join(f"        {line}" for line in lines))


def apart(*operations: str) -> str:
    text = DJANGO_MIGRATION.format(parent="0002_customer_nickname", body=", ".join(operations))
    text = text.replace("import migrations, models", "import migrations, models\nfrom django.contrib.postgres.operations import AddIndexConcurrently")
    return text.replace("    dependencies", "    atomic = False\n    dependencies")


def knex(sql: str) -> str:
    calls = "\n".join(f"  await knex.raw({statement!r});" for statement in sql.strip().splitlines())
    return f"exports.config = {{ transaction: false }};\nexports.up = async (knex) => {{\n{calls}\n}};\nexports.down = async (knex) => {{}};\n"


ALEMBIC_INDEX = 'op.create_index("ix_email", "customers", ["email"], postgresql_concurrently=True)'
DJANGO_INDEX = 'AddIndexConcurrently("customer", models.Index(fields=["email"], name="ix_email"))'
DROP_FIRST = 'migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS ix_email", migrations.RunSQL.noop)'
KNEX_PATH = "migrations/20260301000000_x.js"


@dataclass(frozen=True)
class Case:
    """A migration, at which places it is cut, and what is said: rule -> message."""

    story: Story
    path: str
    text: str
    cuts: tuple[str, ...]
    findings: dict[str, str]
    errors: int = 0
    fix: str = ""


MID, END = "during create index", "after create index"
LOCKED = "a deployment that is cut off leaves the lock of knex taken (table knex_migrations_lock)"


def index(file: str, outcome: str, *, number: int = 1, after: str = " or at any later place") -> str:
    left = "; the INVALID index `ix_email` is left behind" if after else ""
    return f"cut during statement {number} of {file} (CREATE INDEX CONCURRENTLY){after}: {outcome}{left}"


def fails(tool: str, what: str) -> str:
    return f"starting {tool} again fails: {what} already exists"


IX, COLUMN = 'relation "ix_email"', 'column "a" of relation "customers"'
STAYS = "starting {} again reports success, but the index `ix_email` stays INVALID"
CASES = {
    "sql, two columns": Case(
        SQL, "migrations/003_x.sql", TWO_COLUMNS, ("after alter table",),
        {"not-rerunnable": f"cut after statement 1 of 003_x.sql (ALTER TABLE): {fails('sql', COLUMN)}"},
        fix="in a plain SQL file: BEGIN and COMMIT around the file's statements",
    ),
    "sql, two columns that may be there": Case(
        SQL, "migrations/003_x.sql", IF_NOT_THERE, ("after alter table",), {},
    ),
    "sql, rows twice": Case(
        SQL, "migrations/003_x.sql",
        "CREATE TABLE IF NOT EXISTS tags (name text);\nINSERT INTO tags SELECT 't' || n FROM generate_series(1, 12003) n;\n"
        "ALTER TABLE customers ADD COLUMN IF NOT EXISTS a text;\n",
        ("after create table", "after insert into"),
        {"rerun-differs": "cut after statement 2 of 003_x.sql (INSERT): starting sql again reports success, but `tags` has"
         " 24 006 rows and not 12 003"},
        errors=1,
    ),
    "alembic, an index": Case(
        ALEMBIC, "migrations/versions/c3.py", autocommit(ALEMBIC_INDEX), (MID,),
        {"not-rerunnable": index("c3.py", fails("alembic", IX))}, fix="if_exists=True, postgresql_concurrently=True",
    ),
    "alembic, an index that may be there": Case(
        ALEMBIC, "migrations/versions/c3.py", autocommit(ALEMBIC_INDEX.replace("=True)", "=True, if_not_exists=True)")),
        (MID, END), {"rerun-differs": index("c3.py", STAYS.format("alembic"), after="")}, errors=1,
    ),
    "alembic, dropped first": Case(
        ALEMBIC, "migrations/versions/c3.py",
        autocommit('op.drop_index("ix_email", "customers", if_exists=True, postgresql_concurrently=True)', ALEMBIC_INDEX),
        (MID, END), {},
    ),
    "django, an index": Case(
        DJANGO, "shop/migrations/0003_x.py", apart(DJANGO_INDEX), (MID,),
        {"not-rerunnable": index("0003_x.py", fails("django", IX))},
        fix="migrations.RunSQL('DROP INDEX CONCURRENTLY IF EXISTS ...'",
    ),
    "django, dropped first": Case(
        DJANGO, "shop/migrations/0003_x.py", apart(DROP_FIRST, DJANGO_INDEX), (MID, END), {},
    ),
    "knex, two columns": Case(
        KNEX, KNEX_PATH, knex(TWO_COLUMNS), ("after alter table",),
        {"not-rerunnable": "cut after statement 1 of 20260301000000_x.js (ALTER TABLE) or at any later place: "
         + fails("knex", COLUMN), "lock-left-behind": LOCKED},
        fix="in Knex: no `transaction: false`",
    ),
    "knex, two columns that may be there": Case(
        KNEX, KNEX_PATH, knex(IF_NOT_THERE), ("after alter table", "after alter table"), {"lock-left-behind": LOCKED},
    ),
    "goose, an index": Case(
        GOOSE, "migrations/00003_x.sql", f"-- +goose NO TRANSACTION\n-- +goose Up\n{INDEX}-- +goose Down\nDROP INDEX ix_email;\n",
        (MID,), {"not-rerunnable": index("00003_x.sql", fails("goose", IX))}, fix="DROP INDEX CONCURRENTLY IF EXISTS",
    ),
    "goose, dropped first": Case(
        GOOSE, "migrations/00003_x.sql", f"-- +goose NO TRANSACTION\n-- +goose Up\n{GENTLE}-- +goose Down\nDROP INDEX ix_email;\n",
        (MID, END), {},
    ),
    "dbmate, an index that may be there": Case(
        DBMATE, "db/migrations/20240103000000_x.sql",  # dbmate sends the file's comments, too
        f"-- migrate:up transaction:false\n{IF_MISSING}-- migrate:down\nDROP INDEX ix_email;\n",
        ("during -- migrate:up", "after -- migrate:up"),
        {"rerun-differs": index("20240103000000_x.sql", STAYS.format("dbmate"), after="")}, errors=1,
    ),
    "golang-migrate, an index": Case(
        GOLANG_MIGRATE, "db/migration/000003_x.up.sql", INDEX, (MID,),
        {"not-rerunnable": index("000003_x.up.sql", "3 stays recorded as failed, and golang-migrate refuses to go on")},
        fix="after such a cut: `migrate force 3`",
    ),
    "prisma, an index": Case(
        PRISMA, "prisma/migrations/20250301000000_x/migration.sql", INDEX, (MID,),
        {"not-rerunnable": index("migration.sql", "20250301000000_x stays recorded as failed, and prisma refuses to go on")},
        fix="after such a cut: `prisma migrate resolve --rolled-back 20250301000000_x`",
    ),
}  # fmt: skip
# One transaction of their own: nothing stays when they are cut off, and nothing is tried.
WHOLE = {
    "sql": (SQL, "migrations/003_x.sql", f"BEGIN;\n{TWO_COLUMNS}COMMIT;\n"),
    "alembic": (ALEMBIC, "migrations/versions/c3.py", alembic(f"op.execute({TWO_COLUMNS!r})")),
    "goose": (GOOSE, "migrations/00003_x.sql", f"-- +goose Up\n{TWO_COLUMNS}-- +goose Down\nSELECT 1;\n"),
    "prisma": (PRISMA, "prisma/migrations/20250301000000_x/migration.sql", TWO_COLUMNS),
    "knex": (KNEX, KNEX_PATH, knex(TWO_COLUMNS).replace("transaction: false", "transaction: true")),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_migration_that_is_cut_off_and_started_again(team: Team, case: Case) -> None:
    case.story.start(team)
    pushed = team.push({case.path: case.text}, environ=ON)
    found = said(pushed)
    assert {rule: each["message"] for rule, each in found.items()} == case.findings
    assert tuple(cuts(pushed)) == case.cuts
    assert len(pushed.errors) == case.errors
    assert all(case.fix in each["fix"] for rule, each in found.items() if rule == "not-rerunnable")
    assert pushed.document["timings"]["rerun"] > 0
    team.assert_main_is_untouched()


@pytest.mark.parametrize(("story", "path", "text"), WHOLE.values(), ids=WHOLE)
def test_a_single_transaction_costs_nothing(team: Team, story: Story, path: str, text: str) -> None:
    story.start(team)
    pushed = team.push({path: text}, environ=DEFAULT)
    assert pushed.passed and said(pushed) == {}, pushed.said
    assert pushed.document["systems"][0]["facts"]["rerun"] is None and "rerun" not in pushed.document["timings"]


def test_a_single_transaction_that_is_recorded_apart_from_it_is_cut_off_where_that_is_asked_for(team: Team) -> None:
    DBMATE.start(team)
    text = "-- migrate:up transaction:false\nALTER TABLE customers ADD COLUMN a text;\n-- migrate:down\nSELECT 1;\n"
    files = {"db/migrations/20240103000000_x.sql": text}
    pushed = team.push(files, environ=ON)
    assert pushed.passed and len(cuts(pushed)) == 1
    (cut,) = said(pushed)["not-rerunnable"]["evidence"]["cuts"]
    assert (cut["statement"], cut["during"], cut["left_behind"]) == (1, False, {"refusals": [], "invalid_indexes": []})


def test_each_copy_expires_and_is_deleted_and_there_are_never_more_than_two(team: Team) -> None:
    SQL.start(team)
    pushed = team.push({"migrations/003_x.sql": IF_MISSING, "migrations/004_x.sql": IF_NOT_THERE}, environ=ON)
    assert len(cuts(pushed)) == 2
    alive, most, made = 0, 0, []
    for request in team.emulator.requests:
        if request.method == "POST" and request.path.endswith("/branches"):
            made.append(request.body["branch"])
            alive += 1
        most, alive = max(most, alive), alive - (request.method == "DELETE" and request.status == 200)
    assert (len(made), most, alive) == (3, 2, 0)
    assert all(branch["expires_at"] for branch in made) and len({branch["name"] for branch in made}) == 3
    team.assert_main_is_untouched()


def test_the_number_of_cuts_is_limited_and_what_was_not_tried_is_told(team: Team) -> None:
    SQL.start(team)
    batches = "UPDATE customers SET nickname = 'x' WHERE nickname IS NULL;\n" * 3
    files = {"migrations/003_x.sql": IF_NOT_THERE + batches, ".neon-hooks.toml": "[trials]\ncuts = 3\n"}
    pushed = team.push(files, environ=ON)
    # The same statement once more teaches less than another one.
    assert cuts(pushed) == ["after alter table", "after alter table", "after update customers"]
    assert said(pushed)["rerun-not-tried"]["message"] == "interrupted at 3 of 4 places: `[trials] cuts` is 3"


def test_a_copy_that_cannot_be_made_loses_nothing_of_what_is_known_already(team: Team) -> None:
    SQL.start(team)
    team.emulator.faults.add(Fault(path="/branches$", method="POST", effect="slow", seconds=0.0))
    team.emulator.faults.add(Fault(path="/branches$", method="POST", status=422, message="no more", code="BRANCHES_LIMIT_EXCEEDED", times=0))
    pushed = team.push({"migrations/003_x.sql": TWO_COLUMNS}, environ=ON)
    assert pushed.passed and cuts(pushed) == []
    note = said(pushed)["rerun-not-tried"]["message"]
    assert note.startswith("interrupted at 0 of 1 place: Neon refused to create a test Neon database branch"), note
    team.assert_main_is_untouched()


def test_a_copy_that_cannot_be_deleted_is_named(team: Team) -> None:
    SQL.start(team)
    team.emulator.faults.add(Fault(method="DELETE", status=500, times=0))
    pushed = team.push({"migrations/003_x.sql": TWO_COLUMNS}, environ=ON)
    assert pushed.passed and len(team.left_behind) == 2
    assert all(name in pushed.said for name in team.left_behind)


def test_the_whole_takes_no_more_than_twice_as_long_unless_the_settings_say_so(team: Team) -> None:
    ALEMBIC.start(team)
    columns = [f'op.execute("ALTER TABLE customers ADD COLUMN IF NOT EXISTS c{n} int")' for n in range(9)]
    pushed = team.push({"migrations/versions/c3.py": autocommit(*columns)}, environ=DEFAULT)
    assert pushed.passed and 1 <= len(cuts(pushed)) < 9
    assert "all of them would take longer than the rest" in said(pushed)["rerun-not-tried"]["message"]


def test_without_time_nothing_is_cut_off(team: Team) -> None:
    SQL.start(team)  # LEAST of trials/rerun.py is as long as all of the time
    pushed = team.push({"migrations/003_x.sql": TWO_COLUMNS}, environ={**ON, "NEON_HOOKS_DEADLINE": "3s"})
    if pushed.document["verdict"] == "pass":  # else this machine was too slow for the rest as well
        assert cuts(pushed) == [] and "the deadline is near" in said(pushed)["rerun-not-tried"]["message"]


def test_it_can_be_switched_off_and_a_finding_can_be_accepted(team: Team) -> None:
    SQL.start(team)
    pushed = team.push({"migrations/003_x.sql": IF_MISSING, ".neon-hooks.toml": "[trials]\nrerun = false\n"}, environ=DEFAULT)
    assert pushed.passed and said(pushed) == {}
    accepted = "-- neon-hooks: accept rerun-differs because the index is looked at after every deployment\n"
    pushed = team.push({"migrations/004_x.sql": accepted + IF_MISSING, ".neon-hooks.toml": None}, environ=ON)
    assert pushed.passed and said(pushed)["rerun-differs"]["accepted"].startswith("the index is looked at")
