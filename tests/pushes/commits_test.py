"""`neon-lint-migrations` on real commits, by plain git, pre-commit and prek: what is read, what stops a commit."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.fix_git import Clone
from tests.fix_pushes import MANAGERS, Pushed, program, pushed

BAD, GOOD = "CREATE INDEX i ON one (id);\n", "ALTER TABLE one ADD COLUMN a text;\n"
FOUND = "migrations/2.sql:1: an index is built without CONCURRENTLY [blocking-index-build]"
CONFIG = """\
repos:
- repo: local
  hooks:
  - id: neon-lint-migrations
    name: lint new migrations
    entry: {entry}
    language: system
    stages: [pre-commit]
    always_run: true
    pass_filenames: false
"""


class Desk:
    """A clone whose commits are linted; ``migrations/1.sql`` is on the main line."""

    def __init__(self, path: Path, manager: str) -> None:
        self.manager = manager
        self.clone = Clone.init(path / "clone")
        self.clone.with_bare_remote(path / "origin.git")
        self.clone.commit({"migrations/1.sql": "CREATE TABLE one (id int);\n"})
        self.clone.git("push", "-q", "origin", "main")
        if manager == "git":
            hook = path / "clone/.git/hooks/pre-commit"
            hook.write_text(f"#!/bin/sh\nexec {shlex.quote(program('neon-hooks'))} lint\n")
            hook.chmod(0o755)
            return
        (path / "clone/.git/info/exclude").write_text(".pre-commit-config.yaml\n")
        entry = shlex.quote(program("neon-lint-migrations"))
        (path / "clone/.pre-commit-config.yaml").write_text(CONFIG.format(entry=entry))
        subprocess.run((program(manager), "install"), cwd=self.clone.path, check=True, capture_output=True)

    def stage(self, files: dict[str, str]) -> None:
        self.clone.write(files)
        self.clone.git("add", *files)

    def commit(self, *argv: str) -> Pushed:
        done = pushed(self.clone.attempt("commit", "-m", "x", *argv))
        assert "Traceback" not in done.output, done.output
        return done


@pytest.fixture(params=MANAGERS)
def desk(request: pytest.FixtureRequest, tmp_path: Path, push_environ: None) -> Desk:
    return Desk(tmp_path, request.param)


def test_a_bad_migration_is_not_committed_and_a_good_one_is(desk: Desk) -> None:
    desk.stage({"migrations/2.sql": BAD})
    stopped = desk.commit()
    assert stopped.code and FOUND in stopped.output
    way = "git commit --no-verify" if desk.manager == "git" else "SKIP=neon-lint-migrations git commit"
    assert f"to skip this check once: {way}" in stopped.output
    desk.stage({"migrations/2.sql": GOOD})
    assert desk.commit().code == 0


def test_the_index_is_read_and_not_the_work_tree(desk: Desk) -> None:
    desk.stage({"migrations/2.sql": BAD})
    desk.clone.write({"migrations/2.sql": GOOD})
    assert FOUND in desk.commit().output
    desk.stage({"migrations/2.sql": GOOD})
    desk.clone.write({"migrations/2.sql": BAD, "migrations/3.sql": BAD})
    assert desk.commit().code == 0


def test_commit_dash_a_and_commit_of_a_path_have_an_index_of_their_own(desk: Desk) -> None:
    desk.stage({"migrations/2.sql": GOOD})
    assert desk.commit().code == 0
    desk.clone.write({"migrations/2.sql": BAD})
    assert FOUND in desk.commit("-a").output
    assert FOUND in desk.commit("migrations/2.sql").output


def test_only_what_is_staged_is_read(desk: Desk) -> None:
    desk.stage({"migrations/2.sql": BAD})
    desk.clone.git("commit", "-q", "--no-verify", "-m", "bad")
    desk.stage({"README": "words"})
    assert desk.commit().code == 0
    desk.stage({"migrations/3.sql": GOOD})
    assert desk.commit().code == 0


def test_a_table_of_an_earlier_commit_is_still_new(desk: Desk) -> None:
    desk.stage({"migrations/2.sql": "CREATE TABLE two (id int);\n"})
    assert desk.commit().code == 0
    desk.stage({"migrations/3.sql": "CREATE INDEX i ON two (id);\n"})
    assert desk.commit().code == 0


def test_an_edit_of_what_the_main_line_has_is_found(desk: Desk) -> None:
    desk.stage({"migrations/1.sql": "CREATE TABLE one (id bigint);\n"})
    stopped = desk.commit()
    assert stopped.code and "migrations/1.sql: edited: this migration is on the main line already" in stopped.output


def test_an_acceptance_comment_lets_it_through(desk: Desk) -> None:
    desk.stage({"migrations/2.sql": f"-- neon-hooks: accept blocking-index-build because it is tiny\n{BAD}"})
    assert desk.commit().code == 0


def test_nothing_is_written(desk: Desk) -> None:
    desk.stage({"migrations/2.sql": BAD})

    def everything() -> dict[str, bytes]:
        names = (p for p in desk.clone.path.rglob("*") if p.is_file() and not p.name.endswith(".lock"))
        return {str(p): p.read_bytes() for p in names}

    before = everything()
    environ = {**os.environ, "GIT_INDEX_FILE": ".git/index"}
    done = subprocess.run((program("neon-lint-migrations"),), cwd=desk.clone.path, env=environ, capture_output=True)
    assert done.returncode == 1
    assert everything() == before


def test_a_first_commit(tmp_path: Path, push_environ: None) -> None:
    fresh = Clone.init(tmp_path / "fresh")
    fresh.write({"migrations/1.sql": BAD})
    fresh.git("add", ".")
    done = subprocess.run((program("neon-lint-migrations"),), cwd=fresh.path, capture_output=True, text=True)
    assert done.returncode == 1 and "migrations/1.sql:1: an index" in done.stdout


@pytest.mark.parametrize("manager", MANAGERS[1:])
def test_run_all_files_reads_what_the_main_line_has_not(tmp_path: Path, push_environ: None, manager: str) -> None:
    """As pre-commit.ci does: nothing is staged there."""
    desk = Desk(tmp_path, manager)
    desk.stage({"migrations/2.sql": BAD})
    desk.clone.git("commit", "-q", "--no-verify", "-m", "bad")
    argv = (program(manager), "run", "--all-files")
    done = subprocess.run(argv, cwd=desk.clone.path, capture_output=True, text=True)
    assert done.returncode and FOUND in done.stdout
    desk.clone.git("push", "-q", "--no-verify", "origin", "main")
    assert subprocess.run(argv, cwd=desk.clone.path, capture_output=True).returncode == 0


@pytest.mark.parametrize("manager", MANAGERS[1:])
def test_run_of_a_range_reads_that_range(tmp_path: Path, push_environ: None, manager: str) -> None:
    desk = Desk(tmp_path, manager)
    desk.stage({"migrations/2.sql": BAD})
    desk.clone.git("commit", "-q", "--no-verify", "-m", "bad")
    argv = (program(manager), "run", "--from-ref", "HEAD~1", "--to-ref", "HEAD")
    done = subprocess.run(argv, cwd=desk.clone.path, capture_output=True, text=True)
    assert done.returncode and FOUND in done.stdout
