"""Real pushes through a real hook, installed by hand, by pre-commit or by prek.

There is no Neon API key, so a push that brings migrations is stopped, and with --verbose the hook says
which range and which migrations it found. No database is needed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fix_git import Clone

BIN = Path(sys.executable).parent
MANAGERS = ("git", "pre-commit", "prek")
FOUND = re.compile(r"^ *((?:new|edited|deleted|renamed): .*)$", re.MULTILINE)
RANGE = re.compile(r"^ *range: (\S+)\.\.(\S+) \((.*)\)$", re.MULTILINE)
CONFIG = """\
repos:
- repo: local
  hooks:
  - id: neon-validate-migrations
    name: validate migrations
    entry: {entry} --verbose
    language: system
    stages: [pre-push, manual]
    always_run: true
    pass_filenames: false
    verbose: true
"""
INSTALLED = """\
repos:
- repo: {source}
  rev: {rev}
  hooks:
{hooks}"""
NO_INDEX = ("Could not find a version", "No matching distribution", "Failed to establish", "Connection")
TOP = Path(__file__).parent.parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "installs: slow; installs this project, needs the package index")


def program(name: str) -> str:
    path = BIN / name
    if not path.exists():
        pytest.skip(f"needs {name}")
    return str(path)


@dataclass(frozen=True)
class Pushed:
    """What came of it. ``found``: lines such as ``new: migrations/1.sql``; ``ranges``: base, target, rule."""

    code: int
    output: str

    @property
    def found(self) -> list[str]:
        return FOUND.findall(self.output)

    @property
    def ranges(self) -> list[tuple[str, str, str]]:
        return RANGE.findall(self.output)

    def brings(self, *found: str) -> bool:
        """Whether it was stopped because of these migrations; without any, whether it passed."""
        assert "Traceback" not in self.output, self.output
        assert self.found == list(found), self.output
        if any(line.startswith("new: ") for line in found):
            assert "NEON_API_KEY is not set" in self.output
        assert (self.code != 0) is bool(found), self.output
        return True


class World:
    """A clone with the hook, and its bare remote, which has ``migrations/1.sql`` on main."""

    def __init__(self, path: Path, manager: str, *init_options: str) -> None:
        self.path = path
        self.manager = manager
        self.clone = Clone.init(path / "clone", *init_options)
        self.clone.git("init", "-q", "--bare", "-b", "main", *init_options, str(path / "origin.git"))
        self.remote = path / "origin.git"
        self.clone.git("remote", "add", "origin", str(self.remote))
        self.install(self.clone)
        self.clone.commit({"migrations/1.sql": "create table one (id int);\n"})

    def publish(self) -> World:
        self.clone.git("push", "-q", "--no-verify", "origin", "main")
        return self

    def install(self, clone: Clone) -> None:
        """Install the hook in a clone, as its user would."""
        if self.manager == "git":
            hook = clone.path / clone.git("rev-parse", "--git-path", "hooks/pre-push")
            hook.parent.mkdir(exist_ok=True)
            command = f"{shlex.quote(program('neon-hooks'))} pre-push --verbose"
            hook.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
            hook.chmod(0o755)
            return
        exclude = clone.path / clone.git("rev-parse", "--git-path", "info/exclude")
        exclude.parent.mkdir(exist_ok=True)
        exclude.write_text(".pre-commit-config.yaml\n")
        entry = shlex.quote(program("neon-validate-migrations"))
        (clone.path / ".pre-commit-config.yaml").write_text(CONFIG.format(entry=entry))
        install = (program(self.manager), "install", "-t", "pre-push")
        subprocess.run(install, cwd=clone.path, check=True, capture_output=True)

    def change(self, *names: str, text: str = "select 1;\n", amend: bool = False) -> str:
        """Commit new or other migrations; returns the commit."""
        return self.clone.commit({f"migrations/{name}.sql": text for name in names}, amend=amend)

    def branch(self, name: str, start: str = "main") -> None:
        self.clone.git("checkout", "-q", "-b", name, start)

    def push(
        self, *argv: str, clone: Clone | None = None, environ: Mapping[str, str] | None = None
    ) -> Pushed:
        return pushed((clone or self.clone).attempt("push", *argv, environ=environ))

    def run(self, *argv: str, environ: Mapping[str, str] | None = None) -> Pushed:
        """The hook manager's own ``run``."""
        done = subprocess.run(
            (program(self.manager), "run", *argv),
            cwd=self.clone.path,
            env={**os.environ, **(environ or {})},
            capture_output=True,
            text=True,
        )
        return pushed(done)

    def colleague(self) -> Clone:
        """Somebody else's clone, without a hook."""
        self.clone.git("clone", "-q", str(self.remote), str(self.path / "colleague"))
        return Clone(self.path / "colleague")


def install_hooks(clone: Clone, hooks: str, source: Path, environ: Mapping[str, str] | None = None) -> None:
    """Let pre-commit install ``hooks`` (YAML) from a repository with this project's present files, made at ``source``."""
    repository = Clone.init(source)
    names = Clone(TOP).git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ":!tests")
    for name in filter(None, names.split("\0")):
        if (TOP / name).is_file():
            repository.write({name: (TOP / name).read_text()})
    config = INSTALLED.format(source=source, rev=repository.commit({}), hooks=hooks)
    (clone.path / ".pre-commit-config.yaml").write_text(config)
    argv = (program("pre-commit"), "install-hooks")
    done = subprocess.run(argv, cwd=clone.path, env={**os.environ, **(environ or {})}, capture_output=True, text=True)
    if done.returncode and any(words in done.stdout + done.stderr for words in NO_INDEX):
        pytest.skip("needs the package index")
    assert done.returncode == 0, done.stdout + done.stderr


def pushed(done: subprocess.CompletedProcess[str]) -> Pushed:
    return Pushed(done.returncode, done.stdout + done.stderr)


@pytest.fixture
def push_environ(tmp_path: Path, git_environ: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("NEON_", "PREK_", "SKIP")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    monkeypatch.setenv("PREK_HOME", str(tmp_path / "prek"))
    if not shutil.which("git"):
        pytest.skip("needs git")


@pytest.fixture(params=MANAGERS)
def unpublished(request: pytest.FixtureRequest, tmp_path: Path, push_environ: None) -> World:
    return World(tmp_path, request.param)


@pytest.fixture
def world(unpublished: World) -> World:
    return unpublished.publish()


@pytest.fixture
def plain(tmp_path: Path, push_environ: None) -> World:
    """The hook as a plain git hook."""
    return World(tmp_path, "git").publish()
