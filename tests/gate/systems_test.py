"""The Python systems and plain SQL through the shared scenarios, and what only they can show."""

from __future__ import annotations

from contextlib import closing

from neon_hooks.database.connect import connect
from tests.fix_gate import Team
from tests.gate.scenarios import Scenario, each
from tests.gate.stories import ALEMBIC, DJANGO, STORIES, Story, alembic


@each(STORIES)
def test_story(team: Team, story: Story, scenario: Scenario) -> None:
    scenario(team, story)


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
