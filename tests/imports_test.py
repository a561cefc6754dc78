"""The direction of the house (rooms know only what lies below them), and what a no-op may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fix_git import Clone

TOP = Path(__file__).parent.parent
PURE = {
    "acceptances", "changes", "deadline", "dsn", "errors", "facts", "findings", "kinds", "lacking", "lifetime", "limits",
    "lockmodes", "outcome", "plan", "push", "queries", "ranges", "redact", "registry", "settings", "sqlreader", "sqlscript",
    "stopwatch", "tree",
}  # fmt: skip
PARTS_OF_GIT = {"checkout", "merging", "objects", "plumbing", "remotes"}
# lint starts a program, as run does; neither database nor network.
EDGES = {"git", "systems", "neon", "run", "recorder", "database", "lint"}
LEVELS = (
    PURE,
    PARTS_OF_GIT,
    EDGES,
    {"emulator", "trials", "checks", "generate"},  # generate compares by database, and starts migra apart
    {"report"},
    {"workbench", "pushed", "asked", "texts", "offers"},
    {"local", "beside", "before"},
    {"stage"},
    {"gate"},
    {"rehearsal", "generating", "recording", "demo"},
    {"linting"},
    {"commands"},
    {"cli"},
    {"hooks", "__main__"},
)
LEVEL = {room: number for number, rooms in enumerate(LEVELS) for room in rooms}
OWNERS = {"httpx": "neon", "psycopg": "database", "git": "git", "migra": "generate"}
JUDGES = {"checks", "report"}  # touch no edge at all
HEAVY = {"httpx", "psycopg", "git", "migra", "sqlalchemy", "asyncio"}


def room_of(file: Path) -> str:
    if file.parent.name == "hooks":
        return "hooks"
    return file.relative_to(TOP / "neon_hooks").parts[0].removesuffix(".py")


def sources() -> list[Path]:
    found = [*(TOP / "neon_hooks").rglob("*.py"), *(TOP / "hooks").glob("*.py")]
    return [file for file in found if "shims" not in file.parts and room_of(file) != "__init__"]


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_used_by(file: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(file) if name.startswith("neon_hooks.")} - {room_of(file)}


@pytest.mark.parametrize("file", sources(), ids=lambda file: str(file.relative_to(TOP)))
def test_a_module_imports_only_rooms_below_its_own(file: Path) -> None:
    room = room_of(file)
    assert room in LEVEL, f"{room} has no place in the house yet"
    for other in rooms_used_by(file):
        assert LEVEL[other] < LEVEL[room] or {room, other} <= PURE or {room, other} <= PARTS_OF_GIT, f"{room} knows {other}"
        assert not (room in JUDGES and other in EDGES | {"generate"}), f"{room} touches the edge {other}"


@pytest.mark.parametrize("file", sources(), ids=lambda file: str(file.relative_to(TOP)))
def test_an_outside_world_has_one_owner(file: Path) -> None:
    outside = {name.split(".")[0] for name in imported(file)} & OWNERS.keys()
    assert all(OWNERS[name] == room_of(file) for name in outside)


def test_a_push_without_migrations_loads_nothing_heavy(clone: Clone) -> None:
    clone.commit({"alembic.ini": "[alembic]\nscript_location = m", "m/env.py": "import alembic", "m/versions/a.py": "revision = 'a'"})
    clone.git("update-ref", "refs/remotes/origin/main", "HEAD")
    clone.commit({"app.py": "print()", "README": "more"})
    script = f"""
import sys
from neon_hooks.hooks.validate_migrations import main
code = main([])
print(code, sorted({HEAVY!r} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=clone.path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0 []"
