"""Real repositories: made with the git on this machine, apart from anybody's configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from neon_hooks.git import Repository

ISOLATED = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file",
}


class Clone:
    """A work tree to do things in. ``environ`` is added to the process's own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def init(cls, path: Path, *options: str) -> Clone:
        path.mkdir(parents=True, exist_ok=True)
        clone = cls(path)
        clone.git("init", "-q", "-b", "main", *options)
        return clone

    def git(self, *argv: str, environ: Mapping[str, str] | None = None) -> str:
        done = self.attempt(*argv, environ=environ)
        assert done.returncode == 0, f"git {' '.join(argv)}: {done.stdout}{done.stderr}"
        return done.stdout.removesuffix("\n")

    def attempt(
        self, *argv: str, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ("git", *argv),
            cwd=self.path,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
        )

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())

    def commit(self, files: Mapping[str, str | None], *, amend: bool = False) -> str:
        """Write the files (None deletes one), commit everything, and return the commit's id."""
        self.write({name: text for name, text in files.items() if text is not None})
        for name, text in files.items():
            if text is None:
                (self.path / name).unlink()
        self.git("add", "--all")
        options = ["--amend"] if amend else []
        self.git("commit", "-q", "--allow-empty", "--no-verify", "-m", ", ".join(files) or "empty", *options)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def clone_to(self, path: Path, *options: str) -> Clone:
        """Another clone of this one."""
        self.git("clone", "-q", *options, str(self.path), str(path))
        return Clone(path)

    def with_bare_remote(self, path: Path, name: str = "origin") -> Path:
        """A bare remote, empty."""
        self.git("init", "-q", "--bare", "-b", "main", str(path))
        self.git("remote", "add", name, str(path))
        return path


@pytest.fixture
def git_environ(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration and no exported repository but the test's own."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "PRE_COMMIT")):
            monkeypatch.delenv(name)
    for name, value in ISOLATED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def clone(tmp_path: Path, git_environ: None) -> Clone:
    """A repository with one commit that has one file."""
    made = Clone.init(tmp_path / "clone")
    made.commit({"README": "hello\n"})
    return made


@pytest.fixture
def repository(clone: Clone) -> Iterator[Repository]:
    with Repository.find(clone.path) as found:
        yield found
