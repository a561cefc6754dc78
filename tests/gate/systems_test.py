"""The same scenarios for every migration system, through real pushes with the project's own tool."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from neon_hooks.database.connect import connect
from tests.fix_gate import Team
from tests.gate.stories import ALEMBIC, DJANGO, STORIES, TOOLS, Story, alembic

every = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.project)
every_tool = pytest.mark.parametrize("story", TOOLS, ids=lambda story: story.project)


@every
def test_a_good_migration_goes_through_in_silence_and_main_does_not_have_it(team: Team, story: Story) -> None:
    story.start(team)
    pushed = team.push(dict([story.good]))
    assert pushed.passed, pushed.said
    assert "Neon" not in pushed.said
    (migration,) = pushed.document["migrations"]
    assert (migration["id"], migration["path"], migration["applied"]) == (story.good_id, story.good[0], True)
    assert any("country" in statement["sql"] for statement in migration["statements"])
    assert f"+column public.{story.table}.country text" in pushed.document["schema_diff"]
    assert pushed.document["systems"][0]["system"] == story.system
    assert team.query("select from information_schema.columns where column_name = 'country'") == []
    team.assert_main_is_untouched()


@every
def test_a_migration_that_fails_on_the_rows_is_blocked_with_file_statement_and_postgres_words(
    team: Team, story: Story
) -> None:
    story.start(team)
    pushed = team.push(dict([story.bad]))
    assert pushed.exit_code == 1
    (finding,) = pushed.document["findings"]
    assert (finding["rule"], finding["path"]) == ("migration-fails", story.bad[0])
    assert finding["evidence"]["sqlstate"] == "23505"
    assert "Key (email)=" in finding["evidence"]["detail"]
    assert "UNIQUE" in finding["evidence"]["statement"]
    assert finding["line"] == story.bad_line
    for words in (story.bad[0] + ":", "SQLSTATE 23505 (unique_violation)", "DETAIL: Key (email)=", "  fix: "):
        assert words in pushed.said
    (migration,) = pushed.document["migrations"]
    assert migration["applied"] is False
    team.assert_main_is_untouched()


@every
def test_the_same_migration_passes_where_there_are_no_rows(team: Team, story: Story) -> None:
    story.start(team)
    team.query(f"delete from {story.table}")
    assert team.push(dict([story.bad])).passed


@pytest.mark.parametrize("story", [each for each in TOOLS if each.hard_coded], ids=lambda story: story.project)
def test_a_hard_coded_production_database_stays_untouched(team: Team, story: Story) -> None:
    story.start(team)
    with closing(connect(team.emulator.main)) as connection:
        connection.execute("create database decoy")
    decoy = replace(team.emulator.main, database="decoy")
    assert story.hard_coded
    hard_coded = story.hard_coded(decoy)
    pushed = team.push({**hard_coded, **dict([story.good])}, environ={"NEON_HOOKS_DATABASE": "neondb"})
    assert pushed.passed, pushed.said
    assert pushed.document["migrations"][-1]["applied"]
    with closing(connect(decoy)) as connection:
        assert connection.execute("select from pg_tables where schemaname = 'public'").fetchall() == []


@every_tool
def test_a_tool_that_ends_without_error_and_without_work_is_blocked(team: Team, story: Story) -> None:
    story.start(team)
    pushed = team.push({**story.idle, **dict([story.good])})
    assert pushed.exit_code == 1
    assert "not-on-test-branch" in pushed.rules
    assert "did not touch the test Neon database branch; it may have migrated another database" in pushed.said


def test_what_is_pending_on_main_is_applied_first_and_only_what_is_pushed_is_required(team: Team) -> None:
    ALEMBIC.start(team)
    path, text = "migrations/versions/c3.py", ALEMBIC.good[1]
    team.deployed({path: text})  # on the main line, not yet deployed
    pushed = team.push({"migrations/versions/d4.py": alembic('op.drop_column("customers", "country")', "d4", "c3")})
    assert pushed.passed, pushed.said
    assert [(m["id"], m["pushed"], m["applied"]) for m in pushed.document["migrations"]] == [
        ("c3", False, True),
        ("d4", True, True),
    ]


def test_an_edit_of_an_applied_migration_blocks_and_of_a_pending_one_warns(team: Team) -> None:
    ALEMBIC.start(team)
    path, text = ALEMBIC.good
    team.deployed({path: text})
    old = (team.clone.path / "migrations/versions/b2_add_nickname.py").read_text()
    edited = {"migrations/versions/b2_add_nickname.py": old.replace("sa.Text", "sa.String"),
              path: text.replace("sa.Text", "sa.String")}  # fmt: skip
    pushed = team.push(edited)
    assert pushed.exit_code == 1
    severities = {f["path"]: f["severity"] for f in pushed.document["findings"] if f["rule"] == "edited-migration"}
    assert severities == {"migrations/versions/b2_add_nickname.py": "error", path: "warning"}


def test_a_reformatted_python_migration_is_no_edit(team: Team) -> None:
    DJANGO.start(team)
    path = "shop/migrations/0002_customer_nickname.py"
    text = (team.clone.path / path).read_text()
    pushed = team.push({path: '"""A docstring."""\n# a comment\n' + text.replace('"shop", ', '"shop",\n        ')})
    assert pushed.passed and pushed.document["findings"] == []


def test_a_git_branch_behind_production_is_told_to_rebase(team: Team) -> None:
    ALEMBIC.start(team)
    team.query("update alembic_version set version_num = 'zz9'")
    pushed = team.push(dict([ALEMBIC.good]))
    assert pushed.exit_code == 1
    assert set(pushed.rules) == {"migration-fails", "behind-main"}
    assert "zz9" in pushed.said and "rebase" in pushed.said


def test_a_migration_that_was_deployed_before_it_was_pushed_is_a_note(team: Team) -> None:
    ALEMBIC.start(team)
    team.query("update alembic_version set version_num = 'c3'")
    pushed = team.push(dict([ALEMBIC.good]))
    assert pushed.passed
    assert pushed.rules == ["already-applied"]


def test_what_is_validated_is_the_pushed_commit_not_the_work_tree(team: Team) -> None:
    ALEMBIC.start(team)
    path, text = ALEMBIC.good
    team.clone.commit({path: text})
    (team.clone.path / path).write_text("this is no Python")
    (team.clone.path / "migrations/versions/d4.py").write_text(alembic("raise SystemExit(9)", "d4", "c3"))
    pushed = team.push()
    assert pushed.passed, pushed.said
    assert [migration["id"] for migration in pushed.document["migrations"]] == ["c3"]


def test_two_systems_in_one_repository_are_both_run(team: Team) -> None:
    ALEMBIC.start(team)
    django = {f"web/{path}": (text) for path, text in django_files().items()}
    with closing(connect(team.emulator.main)) as connection:
        connection.execute("create table web_anchor ()")
    settings = '[[systems]]\nsystem = "django"\nroot = "web"\npython = "{}"\n'.format(python_of("django"))
    pushed = team.push(
        {**django, **dict([ALEMBIC.good]), ".neon-hooks.toml": settings}, environ={"SECRET_KEY": "x"}
    )
    assert pushed.passed, pushed.said
    assert {each["system"] for each in pushed.document["systems"]} == {"alembic", "django"}
    applied = {m["id"] for m in pushed.document["migrations"] if m["applied"]}
    assert applied == {"c3", "shop.0001_initial", "shop.0002_customer_nickname"}


def django_files() -> dict[str, str]:
    from tests.fix_systems import PROJECTS

    source = PROJECTS / "django"
    found = (path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(source).as_posix(): path.read_text() for path in found}


def python_of(name: str) -> str:
    from tests.fix_systems import python_environment

    return str(python_environment(name))


def test_two_heads_are_named_before_they_reach_anybody(team: Team) -> None:
    ALEMBIC.start(team)
    path, text = ALEMBIC.good
    team.deployed({path: text})
    pushed = team.push({"migrations/versions/d4.py": alembic('op.execute("select 1")', "d4", "b2")})
    assert pushed.exit_code == 1
    assert pushed.rules == ["several-heads"]
    assert "2 heads after this push: c3, d4" in pushed.said and "merge migration" in pushed.said
