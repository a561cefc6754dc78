"""How each tool is told to take back what is pushed, and when it is not asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from neon_hooks.plan import Command, Script
from neon_hooks.run.placeholders import check
from neon_hooks.settings import Settings, SystemSettings
from neon_hooks.systems import SYSTEMS, detect, steps_back, way_back, work_for
from tests.fix_systems import PROJECTS, changes, tree
from tests.systems.numbers_test import Files, example


def back(base: Files, pushed: Files, settings: Settings = Settings()) -> tuple[Command | Script | None, int]:
    before, after = tree(base), tree({**base, **pushed})
    (unit,) = detect(after, settings)
    work = work_for(unit, after, before, changes(before, after))
    return way_back(work, after), steps_back(work)


def second(name: str, *marks: str) -> tuple[Files, Files]:
    """An example project without the files of its second migration, and those."""
    files = example(name)
    pushed = {path: text for path, text in files.items() if any(mark in path for mark in marks or ("nickname",))}
    assert pushed
    return {path: text for path, text in files.items() if path not in pushed}, pushed


def argv(found: Command | Script | None) -> str:
    assert isinstance(found, Command)
    check(found.argv)
    return " ".join(found.argv)


# (project, words of the command line)
COMMANDS: Mapping[str, str] = {
    "alembic": "downgrade a1",
    "flask_migrate": "-m flask db downgrade --directory migrations a1",
    "django": "manage.py migrate shop 0001_initial --noinput --database default",
    "activerecord": "rake db:rollback STEP=1",
    "knex": "knex migrate:rollback --knexfile",
    "typeorm": "typeorm migration:revert -d",
    "sequelize": "db:migrate:undo:all --to 20260102000000-add-nickname.js --config",
    "mikroorm": "mikro-orm migration:down",
    "kysely": "kysely migrate:down --config",
    "node_pg_migrate": "node-pg-migrate down 1 --migrations-dir migrations",
    "goose": "goose_db_version down-to 1",
    "golang_migrate": "-database {url} down 1",
    "dbmate": "--no-dump-schema rollback",
    "sqlx": "sqlx migrate revert --source migrations",
    "diesel": "diesel migration revert --number 1 --migration-dir migrations",
    "yoyo": "rollback --batch --no-config-file --migration-table _yoyo_migration --revision 0002.add-nickname db-migrations",
}
MARKS: Mapping[str, Sequence[str]] = {"mikroorm": ("20260102",), "alembic": ("b2_",), "flask_migrate": ("b2_",), "typeorm": ("Nickname",)}


@pytest.mark.parametrize("project", COMMANDS)
def test_the_tool_takes_back_what_is_pushed_and_no_more(project: str) -> None:
    found, times = back(*second(project, *MARKS.get(project, ())))
    assert COMMANDS[project] in argv(found)
    assert times == 1


def test_where_the_changes_stand_in_a_list_their_number_tells() -> None:
    sqitch = example("sqitch")
    plan = sqitch["sqitch.plan"]
    found, _ = back({**sqitch, "sqitch.plan": plan[: plan.index("nickname")]}, {"sqitch.plan": plan})
    assert argv(found).startswith("sqitch revert -y --to @HEAD^1 --set VERBOSITY=verbose --plan-file sqitch.plan")
    liquibase, pushed = second("liquibase")
    assert "{jdbc_url} --username={user} rollback-count --count=1" in argv(back(liquibase, pushed)[0])


def test_tools_that_take_back_one_migration_are_started_for_each() -> None:
    files = {f"db/migrations/{n}_x.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n" for n in (1, 2, 3)}
    first = {path: text for path, text in files.items() if "1_x" in path}
    assert back(first, files)[1] == 2


def test_numbered_sql_runs_its_down_files_backwards() -> None:
    base = {"migrations/1_x.sql": "SELECT 1;"}
    pushed = {f"migrations/{n}_x.{way}": "SELECT 1;" for n in (2, 3) for way in ("up.sql", "down.sql")}
    found, times = back(base, pushed)
    assert isinstance(found, Script) and times == 1
    assert found.paths == ("migrations/3_x.down.sql", "migrations/2_x.down.sql")


GOLANG = example("golang_migrate")
LATER = {"db/migration/000005_x.up.sql": "SELECT 1;", "db/migration/000005_x.down.sql": "SELECT 2;"}
REVISION = 'revision = "{}"\ndown_revision = {}\ndef upgrade():\n    one()\ndef downgrade():\n    {}\n'
NOT_ASKED: Mapping[str, tuple[Files, Files]] = {
    "a migration without a way back": (GOLANG, {"db/migration/3_x.up.sql": "SELECT 1;"}),
    "a way back that is a comment": (GOLANG, {"db/migration/3_x.up.sql": "SELECT 1;", "db/migration/3_x.down.sql": "-- no"}),
    "one that does not come last": (
        {**GOLANG, **LATER}, {"db/migration/3_x.up.sql": "SELECT 1;", "db/migration/3_x.down.sql": "SELECT 2;"},
    ),
    "one that says that there is none": (
        example("alembic"),
        {"migrations/versions/c.py": REVISION.format("c3", '"b2"', 'raise NotImplementedError("gone")')},
    ),
    "two heads": (example("alembic"), {"migrations/versions/c.py": REVISION.format("c3", '"a1"', "two()")}),
    "a merge": (
        {**example("alembic"), "migrations/versions/c.py": REVISION.format("c3", '"a1"', "two()")},
        {"migrations/versions/d.py": REVISION.format("d4", '("b2", "c3")', "two()")},
    ),
    "node-pg-migrate's false": (
        example("node_pg_migrate"), {"migrations/1800000000000_c.js": "exports.up = (pgm) => one();\nexports.down = false;\n"},
    ),
    "a tool that has no way back": second("prisma"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_ASKED)
def test_nothing_is_taken_back_where_it_cannot_be_or_need_not_be(case: str) -> None:
    assert back(*NOT_ASKED[case])[0] is None


def test_a_command_of_the_teams_own_needs_a_way_back_of_the_teams_own() -> None:
    base, pushed = second("goose")
    entry = SystemSettings("goose", command="bin/goose up")
    assert back(base, pushed, Settings(systems=(entry,)))[0] is None
    entry = SystemSettings("goose", command="bin/goose up", down="bin/goose reset one", url_variables=("GOOSE_DBSTRING",))
    found, times = back(base, pushed, Settings(systems=(entry,)))
    assert (argv(found), times) == ("bin/goose reset one", 1)
    edited = {path: text + "SELECT 1;\n" for path, text in pushed.items()}
    assert back({**base, **pushed}, edited, Settings(systems=(entry,)))[0] is None  # nothing new to take back
    assert isinstance(found, Command) and found.environment == {"GOOSE_DBSTRING": "{url_with_password}"}


def test_the_readme_says_for_every_system_what_is_run() -> None:
    """A system that can be taken back has words in the column, the others none."""
    readme = (PROJECTS.parent.parent / "README.md").read_text()
    table = readme[readme.index("| system | tried with") :].split("\n\n")[0].splitlines()
    column = [cell.strip() for cell in table[0].split("|")].index("way back")
    rows = [line.split("|") for line in table[2:]]
    said = {name: row[column].strip() for row in rows for name in row[1].split("`")[1::2]}
    for system in SYSTEMS:
        if system.name not in ("custom", "hibernate"):
            assert bool(said[system.name]) == bool(system.down), system.name


