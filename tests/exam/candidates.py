"""Who is examined. Each gets main's database and the desired schema, and hands back the files to apply.

``Generate`` is neon-hooks as a developer runs it: a repository with a schema.sql, a shell, the files that the
command lists. ``Migra`` is plain migra in an environment of its own. Neither is told what the other does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tests.exam.pairs import Pair
from tests.exam.postgres import Database, Ran, Server
from tests.fix_git import ISOLATED, Clone
from tests.fix_systems import python_environment

HIDDEN = ("NEON_", "PRE_COMMIT", "DATABASE_URL", "PG", "GIT_")
SECONDS = 120


@dataclass(frozen=True)
class Written:
    """``scripts`` in the order to apply them; ``exit_code`` and ``said`` as a person saw them."""

    scripts: tuple[str, ...]
    exit_code: int
    said: str

    @property
    def refused(self) -> bool:
        return self.exit_code == 1 and not self.scripts

    @property
    def crashed(self) -> bool:
        return self.exit_code not in (0, 1) or "Traceback (most recent call last)" in self.said


class Candidate(Protocol):
    name: str

    def write(self, pair: Pair, server: Server, main: Database, wanted: Database) -> Written: ...

    def apply(self, script: str, main: Database) -> Ran: ...


class Generate:
    name = "neon-hooks generate"

    def __init__(self, environ: dict[str, str] | None = None) -> None:
        self._extra = environ or {}

    def write(self, pair: Pair, server: Server, main: Database, wanted: Database) -> Written:
        with tempfile.TemporaryDirectory(prefix="exam-") as home:
            clone = Clone(Path(home) / "project")
            clone.path.mkdir()
            environ = self._environment(home, server, main)
            clone.write({"schema.sql": pair.after})
            for argv in ("init -q -b main", "add schema.sql", "commit -q -m schema"):
                clone.git(*argv.split(), environ=ISOLATED)
            return self._run(clone.path, environ, pair.options)

    def _environment(self, home: str, server: Server, main: Database) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
        emulator = server.emulator
        return {
            **inherited, **ISOLATED, "HOME": home,
            "NEON_API_HOST": emulator.api_host, "NEON_API_KEY": emulator.api_key,
            "NEON_PROJECT_ID": emulator.project_id, "NEON_HOOKS_DATABASE": main.dsn.database, **self._extra,
        }  # fmt: skip

    def _run(self, project: Path, environ: dict[str, str], options: tuple[str, ...]) -> Written:
        argv = [sys.executable, "-m", "neon_hooks", "generate", "--format", "json", *options]
        try:
            done = subprocess.run(
                argv, cwd=project, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                check=False, timeout=SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Written((), -1, f"not ended after {SECONDS} s")
        try:
            listed = json.loads(done.stdout or "[]")
            scripts = tuple((project / path).read_text() for path in listed)
        except (ValueError, TypeError, OSError) as error:
            return Written((), -1, f"the list of files written: {error}\n{done.stdout}\n{done.stderr}")
        return Written(scripts, done.returncode, done.stderr)

    def apply(self, script: str, main: Database) -> Ran:
        return main.psql(script)


class Migra:
    """Close it, or use it as a context manager."""

    name = "plain migra"

    def __init__(self) -> None:
        worker = Path(__file__).with_name("migra_worker.py")
        self._process = subprocess.Popen(
            [str(python_environment("migra")), str(worker)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    def write(self, pair: Pair, server: Server, main: Database, wanted: Database) -> Written:
        assert self._process.stdin and self._process.stdout
        asked = {"main": main.dsn.uri("postgresql+psycopg"), "wanted": wanted.dsn.uri("postgresql+psycopg")}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline() or '{"error": "the process ended"}')
        if "error" in answer:
            return Written((), -1, answer["error"])
        return Written((answer["sql"],) if answer["sql"].strip() else (), 0, "")

    def apply(self, script: str, main: Database) -> Ran:
        return main.psql(script, "--single-transaction")
