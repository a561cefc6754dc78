"""How git is started: which variables and settings it gets, and what its failures become.

git exports GIT_DIR, GIT_INDEX_FILE and more to hooks, and a relative or foreign one leads astray as soon
as the directory changes. So they are read once, by git.py, and every call gets absolute ones of our own.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from neon_hooks.errors import Unavailable, UsageError

SEPARATOR = "--neon-hooks"  # rev-parse repeats an option that it does not know: paths may hold newlines
# How git reaches other hosts and what was configured. The rest of GIT_* is about one repository.
KEPT = (
    "GIT_ALLOW_PROTOCOL", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_ASKPASS", "GIT_CONFIG_", "GIT_EXEC_PATH",
    "GIT_HTTP_", "GIT_OBJECT_DIRECTORY", "GIT_PROXY_", "GIT_SSH", "GIT_SSL_", "GIT_TERMINAL_PROMPT",
    "GIT_TRACE",
)  # fmt: skip
OURS = {
    "GIT_NO_REPLACE_OBJECTS": "1",  # a push sends the originals
    "GIT_OPTIONAL_LOCKS": "0",  # status must not write the index
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_PREFIX": "",
}
CONFIGURED = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false")


def environment(environ: Mapping[str, str], top: Path, git_dir: Path) -> dict[str, str]:
    """The variables for git calls that concern this one work tree, wherever they are started."""
    foreign = {key for key in environ if key.startswith("GIT_") and not key.startswith(KEPT)}
    return {
        **{key: value for key, value in environ.items() if key not in foreign},
        **OURS,
        "GIT_DIR": str(git_dir),
        "GIT_WORK_TREE": str(top),
        "GIT_INDEX_FILE": str(git_dir / "index"),
    }


def command(*argv: str) -> list[str]:
    return ["git", *CONFIGURED, *argv]


def ask(argv: Sequence[str], *, cwd: Path | None, environ: Mapping[str, str]) -> tuple[int, str, str]:
    """Status, output and complaints of a git command that reads nothing. Raises UsageError without git.

    Texts are file system texts: a byte that is no UTF-8 survives the way back to the system.
    """
    null, pipe = subprocess.DEVNULL, subprocess.PIPE
    try:
        done = subprocess.run(argv, stdin=null, stdout=pipe, stderr=pipe, cwd=cwd, env=environ)
    except OSError as error:
        if cwd is not None and not cwd.is_dir():
            raise UsageError(f"{cwd} is not a directory", fix="name a directory of a git work tree") from None
        raise UsageError(f"git cannot be started: {error.strerror}", fix="install git") from None
    return done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr)


def failed(argv: Sequence[str], complaint: str) -> Unavailable:
    words = " ".join(complaint.split()) or "no reason given"
    name = next(word for word in argv if word.isalpha() or "-" in word[1:])
    return Unavailable(f"git {name} failed: {words}", fix="run `git status` and `git fsck` there")


def discover(start: Path | None, environ: Mapping[str, str]) -> tuple[Path, Path]:
    """The top and the git directory, both absolute, of the work tree around ``start``.

    Raises UsageError outside of one.
    """
    argv = ("git", "rev-parse", "--show-toplevel", SEPARATOR, "--absolute-git-dir")
    status, output, complaint = ask(argv, cwd=start, environ=environ)
    top, found, git_dir = output.removesuffix("\n").partition(f"\n{SEPARATOR}\n")
    if status or not found:
        words = " ".join(complaint.split()) or "there is no work tree"
        raise UsageError(f"not in a git work tree: {words}", fix="run this inside a clone of your repository")
    return Path(top), Path(git_dir)
