"""Compiled programs and scripts, wherever projects and languages' package managers put them."""

from __future__ import annotations

from pathlib import Path

from neon_hooks.plan import Command
from neon_hooks.run.families.base import Found, Search, by_path, not_installed, startable

PLACES = ("bin", "node_modules/.bin", ".venv/bin", "venv/bin", "vendor/bin")
# Where package managers install for a user: often not on the PATH of a Git hook that a GUI starts.
HOMES = (
    ("GOBIN", "", "go/bin"),
    ("GOPATH", "bin", "go/bin"),
    ("CARGO_HOME", "bin", ".cargo/bin"),
    ("", "", ".dotnet/tools"),
    ("", "", ".local/bin"),
)


def find(command: Command, search: Search) -> Found:
    name = command.argv[0]
    path = by_path(command, search) or search.below(PLACES, name)
    path = path or search.on_path(name) or _at_home(name, search)
    if not path:
        raise not_installed(command, (*(f"{place}/" for place in PLACES), "PATH"))
    return Found(startable(path))


def _at_home(name: str, search: Search) -> str:
    home = Path(search.environ.get("HOME") or "/nonexistent")
    for variable, below, default in HOMES:
        value = search.environ.get(variable, "") if variable else ""
        path = (Path(value) / below if value else home / default) / name
        if path.is_file():
            return str(path)
    return ""
