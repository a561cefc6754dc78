"""Where the tools of a project are looked for. Knows directories and PATH, no particular tool.

Nothing is ever installed or downloaded here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neon_hooks.errors import NotInstalled
from neon_hooks.plan import Command

PATIENCE = 20  # seconds for one question to an interpreter


@dataclass(frozen=True)
class Search:
    """``top`` is the user's work tree, ``checkout`` the pushed tree, ``root`` the unit's directory in both.

    ``environ`` is what the tool will run with, the driver shims included. ``python`` is the setting.
    """

    checkout: Path
    top: Path
    root: str
    environ: Mapping[str, str] = field(repr=False)
    python: str = ""

    @property
    def directories(self) -> Iterator[Path]:
        """From the root up to the top; at each level the pushed tree first, then what is installed."""
        parts = Path(self.root).parts
        for depth in range(len(parts), -1, -1):
            yield from dict.fromkeys(base.joinpath(*parts[:depth]) for base in (self.checkout, self.top))

    def below(self, places: Iterable[str], name: str) -> str:
        """The first file ``<directory>/<place>/<name>``, "" when there is none."""
        found = (directory / place / name for directory in self.directories for place in places)
        return next((str(path) for path in found if path.is_file()), "")

    def on_path(self, name: str) -> str:
        return shutil.which(name, path=self.environ.get("PATH", "")) or ""

    def output(self, *argv: str) -> str:
        """What a program answers, "" when it does not run."""
        try:
            done = subprocess.run(
                argv, cwd=self.checkout / self.root, env=dict(self.environ), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PATIENCE, text=True,
                errors="replace", start_new_session=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            return ""
        return done.stdout.strip()


@dataclass(frozen=True)
class Found:
    """``argv`` takes the place of the command's first word; ``scheme`` is that of URLs it is given."""

    argv: tuple[str, ...]
    scheme: str = "postgresql"


Find = Callable[[Command, Search], Found]
"""Finds a command's program. Raises NotInstalled, and Unavailable when the driver shim cannot be loaded."""


def by_path(command: Command, search: Search) -> str:
    """The file that a first word with a slash names, below the root of the pushed tree; "" for others."""
    name = command.argv[0]
    if "/" not in name:
        return ""
    here = (base / search.root / name for base in (search.checkout, search.top))
    return next((str(path) for path in here if path.is_file()), "")


def startable(path: str) -> tuple[str, ...]:
    """A script may have lost its executable bit on the way through git."""
    return (path,) if os.access(path, os.X_OK) else ("sh", path)


def not_installed(command: Command, tried: Iterable[str]) -> NotInstalled:
    name = command.argv[0]
    return NotInstalled(
        f"{name} was not found; tried " + ", ".join(tried),
        fix=f"install the project's dependencies, or say how it is started: [[systems]] command ="
        f' "path/to/{name.rpartition("/")[2]} ..."',
    )
