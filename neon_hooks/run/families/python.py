"""Programs of the project's Python."""

from __future__ import annotations

from pathlib import Path

from neon_hooks.plan import Command
from neon_hooks.run import interpreter
from neon_hooks.run.families.base import Found, Search, by_path, not_installed, startable

NAMES = ("python", "python3")


def find(command: Command, search: Search) -> Found:
    """``python`` is the project's interpreter; any other word a program beside it, or on PATH."""
    found = interpreter.find(command.module, search.top, search.root, search.environ, search.python)
    scheme = _scheme(command, found)
    name = command.argv[0]
    if name in NAMES:
        return Found((found.path,), scheme)
    beside = Path(found.path).parent / name
    path = by_path(command, search) or (str(beside) if beside.is_file() else search.on_path(name))
    if not path:
        raise not_installed(command, (str(beside.parent), "PATH"))
    return Found(startable(path), scheme)


def _scheme(command: Command, found: interpreter.Interpreter) -> str:
    """Of the schemes that the tool takes the first whose driver is installed."""
    if command.url_schemes == ("postgresql",):
        return found.url_scheme
    drivers = ((scheme, scheme.partition("+")[2]) for scheme in command.url_schemes)
    return next((scheme for scheme, driver in drivers if not driver or driver in found.drivers), "postgresql")
