"""A team's repository with a bare remote, a pre-push hook and "production" on an emulated Neon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from neon_hooks.database.connect import connect
from neon_hooks.emulator import Emulator
from tests.fix_git import Clone

HOOK = """\
#!/bin/sh
exec "{python}" -m neon_hooks pre-push --format json --output "{report}" --html "{report}.html" "$@"
"""
HIDDEN = ("NEON_", "PRE_COMMIT", "DATABASE_URL", "PG")


@dataclass(frozen=True)
class Pushed:
    """What a person saw (``said``), and what a program reads (``document``, {} when nothing was written)."""

    exit_code: int
    said: str
    document: dict[str, Any]

    @property
    def passed(self) -> bool:
        return self.exit_code == 0

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [finding for finding in self.document["findings"] if finding["severity"] == "error"]

    @property
    def rules(self) -> list[str]:
        """Of all findings but those that nearly every migration of these tests gives."""
        rules = [finding["rule"] for finding in self.document.get("findings", [])]
        return [rule for rule in rules if rule not in ("lock-timeout-missing", "irreversible", "pending-on-main")]


class Team:
    """``environ`` is what a developer has exported; change it to see what happens."""

    def __init__(self, home: Path, emulator: Emulator) -> None:
        self.home = home
        self.emulator = emulator
        self.remote = home / "origin.git"
        Clone.init(self.remote, "--bare")
        self.clone = Clone.init(home / "work")
        self.clone.git("remote", "add", "origin", str(self.remote))
        self.report = home / "report.json"
        self.environ = {
            "NEON_API_HOST": emulator.api_host,
            "NEON_API_KEY": emulator.api_key,
            "NEON_PROJECT_ID": emulator.project_id,
            "HOME": str(home),
            # Two more runs of the tool, which only those need who ask for them.
            "NEON_HOOKS_TRIALS_DOWN_AND_UP": "false",
            "NEON_HOOKS_TRIALS_DRIFT": "false",
            "NEON_HOOKS_TRIALS_CONTENTS": "false",
            "NEON_HOOKS_TRIALS_HISTORY": "false",
            "NEON_HOOKS_TRIALS_RERUN": "false",
            "NEON_HOOKS_TRIALS_INSERTS": "false",
            # A busy machine is slow, and no story but those about limits is about that.
            "NEON_HOOKS_THRESHOLDS_READS_BLOCKED": "60s",
            "NEON_HOOKS_THRESHOLDS_WRITES_BLOCKED": "60s",
        }

    def deployed(self, files: Mapping[str, str | None], sql: str = "") -> None:
        """What production and the main line have: pushed without the hook; ``sql`` is run on main."""
        self.clone.commit(files)
        self.clone.git("push", "-q", "--no-verify", "origin", "HEAD:main")
        if sql:
            self.query(sql)

    def install_hook(self, text: str = HOOK) -> None:
        hook = self.clone.path / ".git/hooks/pre-push"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(text.format(python=sys.executable, report=self.report))
        hook.chmod(0o755)

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
        return {**inherited, **self.environ, **(extra or {})}

    def start_push(self, *refspecs: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        self.report.unlink(missing_ok=True)
        return subprocess.Popen(
            ("git", "push", "origin", *(refspecs or ("HEAD:main",))),
            cwd=self.clone.path,
            env=self.environment(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def push(
        self,
        files: Mapping[str, str | None] | None = None,
        *refspecs: str,
        environ: Mapping[str, str] | None = None,
    ) -> Pushed:
        """Commit ``files`` and push, through the hook."""
        if files is not None:
            self.clone.commit(files)
        process = self.start_push(*refspecs, environ=environ)
        said, _ = process.communicate(timeout=120)
        document = json.loads(self.report.read_text() or "{}") if self.report.exists() else {}
        return Pushed(process.returncode, said, document)

    def run(self, argv: Sequence[str]) -> None:
        """A command in the work tree, as the developer."""
        done = subprocess.run(
            argv, cwd=self.clone.path, env=self.environment(), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run ``sql`` on main as its owner."""
        with closing(connect(self.emulator.main)) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    @property
    def left_behind(self) -> list[str]:
        """Test Neon database branches that still exist."""
        return [each["name"] for each in self.emulator.neon_branches() if not each["default"]]

    def assert_main_is_untouched(self) -> None:
        """No request ever asked to change main, and nothing is left behind."""
        main = next(each["id"] for each in self.emulator.neon_branches() if each["default"])
        changed = [r for r in self.emulator.requests if r.method not in ("GET", "HEAD") and main in r.path]
        assert not changed
        assert self.left_behind == []


@pytest.fixture
def team(tmp_path: Path, git_environ: None) -> Iterator[Team]:
    with Emulator() as emulator:
        made = Team(tmp_path, emulator)
        made.install_hook()
        yield made
