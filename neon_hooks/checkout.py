"""A directory that holds exactly the tree of one commit, for the project's own tool to run in.

What is validated is what is pushed, not what lies in the work tree. Where the two are provably the same,
the work tree itself is used. Elsewhere it is a temporary worktree (git-worktree(1)), into which what git
does not know but the tool needs (installed dependencies, .env) is linked. Part of git.py's edge: it is
handed the two ways to call git and starts no process of its own.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol

from neon_hooks.errors import NeonHooksError, Unavailable
from neon_hooks.lifetime import shielded
from neon_hooks.tree import join

PREFIX = "neon-hooks-"
STALE = 3600.0  # seconds; a run takes 4 minutes at most, so what is older was left by a killed one
PAUSES = (0.02, 0.05, 0.1, 0.2)  # seconds
CACHES = ("__pycache__", "*.pyc", "*.pyo", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".DS_Store")
# What is linked into a worktree, and the file that must lie beside it. Compiled migrations are left out
# on purpose: Maven's target/ and Gradle's build/ hold those of another commit.
DEPENDENCIES: Mapping[str, str] = {
    "node_modules": "", ".yarn/cache": "", ".yarn/unplugged": "", ".pnp.cjs": "", ".pnp.loader.mjs": "",
    ".venv": "", "venv": "", "env": "", "__pypackages__": "",
    "vendor": "", "vendor/bundle": "", ".bundle": "",
    "config/master.key": "", "config/database.yml": "",
    "target": "Cargo.toml", ".gradle": "", "deps": "mix.exs",
    ".env": "", ".env.*": "",
}  # fmt: skip


class Reader(Protocol):
    """``git ARGS`` without side effects: its output."""

    def __call__(self, *argv: str) -> str: ...


class Writer(Protocol):
    """``git ARGS`` that may write, with variables added: its output."""

    def __call__(self, *argv: str, environ: Mapping[str, str]) -> str: ...


class Source(Protocol):
    """What must be known of the repository."""

    top: Path
    git_dir: Path

    def tree_of(self, commit: str) -> str: ...
    def exists(self, name: str) -> bool: ...


class Checkout:
    def __init__(self, source: Source, read: Reader, write: Writer) -> None:
        self._source = source
        self._read = read
        self._write = write

    @contextmanager
    def of(
        self, commit: str, *, roots: Sequence[str], dirs: Sequence[str] | None, scratch: Path
    ) -> Iterator[Path]:
        """Yield the directory.

        Raises Unavailable if it cannot be made, or if the migrations in it changed while it was used.
        """
        if not self._is_in_place(commit, roots if dirs is None else dirs):
            with self._worktree(commit, scratch) as directory:
                self._link_dependencies(directory, roots)
                yield directory
            return
        yield self._source.top
        # A tool may well write elsewhere (db/schema.rb), so this asks for the migrations only.
        if dirs is not None and not (self._is_head(commit) and self._is_clean(dirs)):
            raise Unavailable("the migrations were changed while they were validated", fix="push again")

    def _is_in_place(self, commit: str, dirs: Sequence[str]) -> bool:
        return self._is_head(commit) and self._is_clean() and self._hides_nothing() and self._is_pure(dirs)

    def _is_head(self, commit: str) -> bool:
        return self._source.tree_of("HEAD") == self._source.tree_of(commit)

    def _is_clean(self, dirs: Sequence[str] = ()) -> bool:
        """Whether index and work tree are HEAD's, with nothing untracked."""
        options = ("--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=none", "--no-renames")
        entries = self._entries("status", *options, "--", *_pathspecs(dirs))
        return all(entry.startswith("?? ") and _matches(entry[3:], CACHES) for entry in entries)

    def _hides_nothing(self) -> bool:
        """Whether no file is flagged assume-unchanged or skip-worktree: status believes such flags."""
        return all(entry.startswith("H ") for entry in self._entries("ls-files", "-v", "-z"))

    def _is_pure(self, dirs: Sequence[str]) -> bool:
        """Whether what git ignores in these directories is nothing that a migration tool could read."""
        options = ("-z", "--others", "--ignored", "--exclude-standard", "--directory")
        ignored = self._entries("ls-files", *options, "--", *_pathspecs(dirs))
        return all(_matches(path, (*CACHES, *DEPENDENCIES)) for path in ignored)

    def _entries(self, *argv: str) -> list[str]:
        return self._read(*argv).split("\0")[:-1]

    @contextmanager
    def _worktree(self, commit: str, scratch: Path) -> Iterator[Path]:
        self._sweep()
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=scratch))
        try:
            self._patiently("worktree", "add", "--detach", "--no-checkout", "--", str(directory), commit)
            admin = directory / _content(directory / ".git").removeprefix("gitdir: ")
            # Without these git would fill the index that it told the hook about.
            environ = {"GIT_DIR": admin, "GIT_WORK_TREE": directory, "GIT_INDEX_FILE": admin / "index"}
            fill = ("-c", "core.sparseCheckout=false", "read-tree", "--reset", "-u", commit)
            self._write(*fill, environ={key: str(path) for key, path in environ.items()})
            yield directory
        finally:
            with _uninterrupted():
                self._remove(directory)

    def _remove(self, directory: Path) -> None:
        """Delete a worktree and what .git knows of it, however much of either is left.

        Not with ``git worktree prune``, which would also forget the user's on a drive that is not mounted.
        """
        with suppress(NeonHooksError):  # git refuses a damaged worktree, but forgets one that is gone
            self._write("worktree", "remove", "--force", "--force", "--", str(directory), environ={})
            return
        shutil.rmtree(directory, ignore_errors=True)
        with suppress(NeonHooksError):
            self._patiently("worktree", "remove", "--force", "--force", "--", str(directory))

    def _patiently(self, *argv: str) -> None:
        """git fails if it meets a worktree of which another process has not written every file yet."""
        for pause in PAUSES:
            with suppress(NeonHooksError):
                self._write(*argv, environ={})
                return
            time.sleep(pause)
        self._write(*argv, environ={})

    def _sweep(self) -> None:
        """Remove what killed runs left. By age, as a process id means nothing in another container."""
        git_dir = self._source.git_dir
        shared = git_dir / _content(git_dir / "commondir")  # only a linked worktree has this file
        for admin in (shared / "worktrees").glob(f"{PREFIX}*"):
            with suppress(OSError):
                if time.time() - (admin / "gitdir").stat().st_mtime > STALE:
                    left = (admin / _content(admin / "gitdir")).parent
                    if left.name.startswith(PREFIX):
                        self._remove(left)

    def _link_dependencies(self, directory: Path, roots: Sequence[str]) -> None:
        """Link what is installed in the work tree, at the top and at each step down to the roots."""
        for place in _ways_to(roots):
            for pattern, beside in DEPENDENCIES.items():
                if beside and not (directory / place / beside).is_file():
                    continue
                for found in (self._source.top / place).glob(pattern):
                    self._link(found, directory)

    def _link(self, found: Path, directory: Path) -> None:
        path = found.relative_to(self._source.top).as_posix()
        link = directory / path
        outside = not link.parent.is_dir() or not link.parent.resolve().is_relative_to(directory.resolve())
        # What HEAD has and the commit has not was deleted on purpose.
        if outside or os.path.lexists(link) or self._source.exists(f"HEAD:{path}"):
            return
        with suppress(OSError):  # Windows allows links only to some users
            link.symlink_to(found, target_is_directory=found.is_dir())


def _uninterrupted() -> AbstractContextManager[None]:
    """Signals only reach the main thread; another one has nothing to be shielded from."""
    return shielded() if threading.current_thread() is threading.main_thread() else nullcontext()


def _content(path: Path) -> str:
    """The text of one of git's one-path files, "" if there is none. A path may end in any byte but LF."""
    try:
        return os.fsdecode(path.read_bytes()).removesuffix("\n")
    except FileNotFoundError:
        return ""


def _pathspecs(dirs: Sequence[str]) -> list[str]:
    return [directory or "." for directory in dirs]


def _matches(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(part, pattern) for part in path.rstrip("/").split("/") for pattern in patterns)


def _ways_to(roots: Sequence[str]) -> list[str]:
    """The top and every directory on the way to each root: ``a/b`` gives "", ``a`` and ``a/b``."""
    places = {"": None}
    for root in roots:
        parts = join(root, "").split("/")
        places.update(dict.fromkeys("/".join(parts[:end]) for end in range(1, len(parts) + 1)))
    return list(places)
