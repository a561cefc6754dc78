"""Pushes of a project with a desired schema under the hook managers, and what pre-commit installs for which hook."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from neon_hooks.emulator import Emulator
from tests.fix_gate import Team
from tests.fix_pushes import install_hooks, program
from tests.fix_systems import CACHE

pytest.importorskip("migra")
BIN = Path(sys.executable).parent
HOOKS = ("neon-generate-migration", "neon-validate-migrations")
OF_THE_PROGRAM = """\
repos:
- repo: local
  hooks:
""" + "".join(
    f"  - {{id: {hook}, name: {hook}, entry: {BIN}/{hook}, language: system, stages: [pre-push], always_run: true,"
    " pass_filenames: false}\n"
    for hook in HOOKS
)
ENGINE = {"migra", "schemainspect", "sqlbag"}
SCHEMA = "CREATE TABLE customers (id bigint PRIMARY KEY, name text);\n"


def under(manager: str, team: Team) -> Team:
    team.environ |= {"PRE_COMMIT_HOME": str(team.home / "cache"), "PREK_HOME": str(team.home / "cache")}
    (team.clone.path / ".git/hooks/pre-push").unlink()
    team.run((program(manager), "install", "-t", "pre-push"))
    return team


def assert_it_is_written_once_and_goes_through(team: Team) -> None:
    """The story of the README: pushed, stopped with a file, committed, pushed again."""
    stopped = team.push({"schema.sql": SCHEMA})
    assert stopped.exit_code == 1
    assert "wrote migrations/0001_initial.sql" in stopped.said and "push again" in stopped.said
    written = (team.clone.path / "migrations/0001_initial.sql").read_text()
    passed = team.push({"migrations/0001_initial.sql": written})
    assert passed.passed, passed.said
    assert team.push({"schema.sql": SCHEMA + "\n"}).passed
    assert team.clone.git("status", "--porcelain", "migrations") == ""
    team.assert_main_is_untouched()


@pytest.mark.parametrize("manager", ["pre-commit", "prek"])
def test_the_story_of_a_push_with_a_schema(team: Team, manager: str) -> None:
    team.deployed({".pre-commit-config.yaml": OF_THE_PROGRAM})
    assert_it_is_written_once_and_goes_through(under(manager, team))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team for which pre-commit has installed four hooks as it does for everybody, with its own environments."""
    home = tmp_path_factory.mktemp("installed")
    with pytest.MonkeyPatch.context() as patch, Emulator() as emulator:
        for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
            patch.setenv(name, "/dev/null")
        for name in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{name}_NAME", "Ada")
            patch.setenv(f"GIT_{name}_EMAIL", "ada@example.com")
        team = Team(home, emulator)
        team.environ |= {"PRE_COMMIT_HOME": str(home / "cache"), "PIP_CACHE_DIR": str(CACHE.parent / "pip")}
        team.clone.commit({"README": "words"})
        hooks = "".join(f"  - id: {hook}\n" for hook in (*HOOKS, "neon-lint-migrations", "neon-sweep-branches"))
        install_hooks(team.clone, hooks, home / "neon-hooks", team.environment())
        team.run((program("pre-commit"), "install", "-t", "pre-push"))
        yield team


def environments(team: Team) -> Mapping[str, set[str]]:
    """By what pre-commit adds to the package: the names of what lies in that environment."""
    found = {}
    with closing(sqlite3.connect(team.home / "cache/db.db")) as database:
        for repo, path in database.execute("select repo, path from repos").fetchall():
            packages = {each.name for each in Path(path).glob("py_env-*/lib/python*/site-packages/*")}
            if packages:
                found[repo.partition(f"{team.home / 'neon-hooks'}")[2].lstrip(":")] = packages
    return found


@pytest.mark.installs
def test_migra_is_in_the_environment_of_one_hook_and_in_no_others(installed: Team) -> None:
    """The hooks without additional_dependencies share one; it has what they need and no more."""
    found = environments(installed)
    plain = found.pop("")
    ((more, with_engine),) = found.items()
    assert {pin.partition("==")[0] for pin in more.split(",")} == ENGINE
    assert {"neon_hooks", "psycopg"} <= plain & with_engine
    assert with_engine >= ENGINE
    assert not plain & (ENGINE | {"sqlalchemy"})


@pytest.mark.installs
def test_a_push_by_what_pre_commit_has_installed(installed: Team) -> None:
    assert_it_is_written_once_and_goes_through(installed)
