"""Which Python is the project's. Knows virtual environments and package managers, no migration tool.

Nothing is ever installed or created: package managers are only asked where their environment is.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from neon_hooks.errors import NotInstalled

DIRECTORIES = (".venv", "venv")
BINARIES = ("bin/python", "Scripts/python.exe")
# A lock file, and how its tool says which interpreter it would run. `uv run` and `poetry run` would make
# an environment where there is none, in the user's work tree; these do not.
MANAGERS = (
    ("uv.lock", ("uv", "python", "find", "--no-python-downloads", "--offline")),
    ("poetry.lock", ("poetry", "env", "info", "--executable")),
    ("pdm.lock", ("pdm", "info", "--python")),
    ("Pipfile.lock", ("pipenv", "--py")),
)
PATIENCE = 20  # seconds for one question to an interpreter or a package manager
PROBE = """
import importlib.util, json, sys
names = "psycopg psycopg2 asyncpg pg8000 sqlalchemy".split()
def there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except Exception:
        return False
version = [0, 0]
if there("sqlalchemy"):
    try:
        from importlib.metadata import version as of
        version = [int(part) for part in of("sqlalchemy").split(".")[:2]]
    except Exception:
        pass
print(json.dumps({
    "module": not sys.argv[1] or there(sys.argv[1]), "shim": "neon_hooks_shim" in sys.modules,
    "drivers": [name for name in names[:4] if there(name)], "sqlalchemy": version,
    "executable": sys.executable, "version": list(sys.version_info[:3]),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that answered: what it can import, and whether our driver shim gets loaded into it."""

    path: str
    module: bool
    shim: bool
    drivers: tuple[str, ...]
    sqlalchemy: tuple[int, int]

    @property
    def url_scheme(self) -> str:
        """The scheme that works for everybody here: plain, unless SQLAlchemy's default driver is not there.

        SQLAlchemy took psycopg2 for plain ``postgresql://`` up to 2.0 and takes psycopg since 2.1.
        """
        if self.sqlalchemy == (0, 0) or not self.drivers:
            return "postgresql"
        default = "psycopg" if self.sqlalchemy >= (2, 1) else "psycopg2"
        return "postgresql" if default in self.drivers else f"postgresql+{self.drivers[0]}"


def find(module: str, top: Path, root: str, environ: Mapping[str, str], setting: str) -> Interpreter:
    """The first Python that can import ``module`` and loads our driver shim.

    Without the shim an address that is written in the project's code could lead to production.

    ``top``/``root`` is the user's own work tree, where virtual environments lie; ``environ`` what the
    probe runs with: stripped of this hook's environment, with the shim's directory on PYTHONPATH.
    Raises NotInstalled that lists what was tried.
    """
    tried: list[str] = []
    for source, path in _candidates(top, root, environ, setting):
        found = probe(path, module, environ) if path else None
        if found and found.module and found.shim:
            return found
        tried.append(f"{source}: {_what_is_wrong(path, found, module)}")
    raise NotInstalled(
        f"no Python that can import {module} was found; tried " + "; ".join(tried),
        fix=f"install the project's dependencies, or name its interpreter: [[systems]] python = "
        f'"path/to/python" (the one that `python -c "import {module}"` works with)',
    )


def _what_is_wrong(path: str, found: Interpreter | None, module: str) -> str:
    if not path:
        return "not there"
    if found is None:
        return "does not run"
    return f"cannot import {module}" if not found.module else "ignores PYTHONPATH (python -I or -E?)"


def _candidates(top: Path, root: str, environ: Mapping[str, str], setting: str) -> Iterator[tuple[str, str]]:
    """(where it comes from, path or "") in the order of precedence. The setting is never second-guessed."""
    if setting:
        yield f"the setting python = {setting!r}", _from_setting(setting, top, environ)
        return
    directories = [top / root, *(top / root).parents]
    directories = directories[: directories.index(top) + 1] if top in directories else directories[:1]
    for directory in directories:
        for name in DIRECTORIES:
            for binary in BINARIES:
                if (directory / name / binary).is_file():
                    yield _shown(directory / name, top), str(directory / name / binary)
    for lock, question in MANAGERS:
        directory_with_lock = next((d for d in directories if (d / lock).is_file()), None)
        if directory_with_lock:
            yield " ".join(question), _ask(question, directory_with_lock, environ)
    for name in ("python3", "python"):
        path = shutil.which(name, path=environ.get("PATH", ""))
        if path:
            yield f"{name} on PATH", path
    yield "this hook's own environment", sys.executable  # both may be installed into one


def _from_setting(setting: str, top: Path, environ: Mapping[str, str]) -> str:
    """A file, a virtual environment, or the name of a program on PATH."""
    path = top / Path(setting).expanduser()
    if path.is_dir():
        return next((str(path / binary) for binary in BINARIES if (path / binary).is_file()), "")
    return str(path) if path.is_file() else shutil.which(setting, path=environ.get("PATH", "")) or ""


def _shown(path: Path, top: Path) -> str:
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else path.name


def _ask(question: tuple[str, ...], directory: Path, environ: Mapping[str, str]) -> str:
    """The path that a package manager answers with, "" when it is not installed or knows none."""
    tool = shutil.which(question[0], path=environ.get("PATH", ""))
    if not tool:
        return ""
    answer = _output([tool, *question[1:]], directory, environ).strip().splitlines()
    return answer[-1].strip() if answer and Path(answer[-1].strip()).is_file() else ""


def probe(path: str, module: str, environ: Mapping[str, str]) -> Interpreter | None:
    """Ask one interpreter, by running it once. None when it does not run or is no Python."""
    output = _output([path, "-c", PROBE, module], Path(path).parent, environ)
    try:
        answer = json.loads(output.strip().splitlines()[-1])
        return Interpreter(
            path,
            answer["module"],
            answer["shim"],
            tuple(answer["drivers"]),
            (*answer["sqlalchemy"], 0, 0)[:2],
        )
    except (ValueError, KeyError, IndexError, TypeError):
        return None


def _output(argv: list[str], directory: Path, environ: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            argv, cwd=directory, env=dict(environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=PATIENCE, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
