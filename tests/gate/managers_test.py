"""The whole story under the hook managers: pre-commit and prek with a real migration tool."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.fix_gate import Team
from tests.gate.stories import ALEMBIC

BIN = Path(sys.executable).parent
CONFIG = """\
repos:
- repo: local
  hooks:
  - id: neon-validate-migrations
    name: validate migrations on a test Neon database branch
    entry: {bin}/neon-validate-migrations
    language: system
    stages: [pre-push]
    always_run: true
    pass_filenames: false
"""
managers = pytest.mark.parametrize("manager", ["pre-commit", "prek"])


def under(manager: str, team: Team) -> Team:
    ALEMBIC.start(team)
    team.environ |= {"PRE_COMMIT_HOME": str(team.home / "cache"), "PREK_HOME": str(team.home / "cache")}
    team.deployed({".pre-commit-config.yaml": CONFIG.format(bin=BIN)})
    (team.clone.path / ".git/hooks/pre-push").unlink()
    argv = (str(BIN / manager), "install", "-t", "pre-push")
    team.run(argv)
    return team


@managers
def test_a_bad_migration_is_rejected_with_the_way_round_the_hook(team: Team, manager: str) -> None:
    pushed = under(manager, team).push(dict([ALEMBIC.bad]))
    assert pushed.exit_code == 1
    assert f"{ALEMBIC.bad[0]}:{ALEMBIC.bad_line}: could not create unique index" in pushed.said
    assert "SKIP=neon-validate-migrations git push" in pushed.said
    assert "exit code: 1" in pushed.said
    team.assert_main_is_untouched()


@managers
def test_a_good_migration_goes_through(team: Team, manager: str) -> None:
    pushed = under(manager, team).push(dict([ALEMBIC.good]))
    assert pushed.passed, pushed.said
    assert any(request.method == "DELETE" and request.status == 200 for request in team.emulator.requests)
    team.assert_main_is_untouched()


@managers
def test_the_hook_can_be_skipped_as_it_says(team: Team, manager: str) -> None:
    pushed = under(manager, team).push(dict([ALEMBIC.bad]), environ={"SKIP": "neon-validate-migrations"})
    assert pushed.passed
    assert not [request for request in team.emulator.requests if request.method == "POST"]
