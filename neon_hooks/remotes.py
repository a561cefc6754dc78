"""Other people's git branches, as they were last fetched: which are recent, and which files they add.

Part of git.py, in whose environment ``read`` starts git. Two processes, however many refs there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

MARK = "\x01"


class Reader(Protocol):
    """``git ARGS`` without side effects: its output."""

    def __call__(self, *argv: str) -> str: ...


@dataclass(frozen=True)
class RemoteRef:
    """A remote-tracking ref (``refs/remotes/origin/x``) and its tip, committed at ``time`` (seconds since 1970)."""

    name: str
    commit: str
    time: int


def recent(read: Reader, most: int) -> list[RemoteRef]:
    """The ``most`` refs with the youngest tips, without symbolic ones such as origin/HEAD."""
    words = "%(objectname) %(committerdate:unix) %(refname) %(symref)"
    lines = read("for-each-ref", "--sort=-committerdate", f"--count={2 * most}", f"--format={words}", "refs/remotes")
    found = (line.split(" ") for line in lines.splitlines())
    return [RemoteRef(name, oid, int(time or 0)) for oid, time, name, symbolic in found if not symbolic][:most]


def added(
    read: Reader, refs: Sequence[RemoteRef], without: Sequence[str], directories: Sequence[str], *, since: int, most: int
) -> Mapping[str, list[str]]:
    """By ref, the files that commits of its own add below the directories, youngest first.

    Not those of commits that ``without`` has too, that are older than ``since``, or that come after ``most``
    commits. A commit that several refs share counts for one of them.
    """
    if not refs:
        return {}
    options = ("-z", "--name-only", "--no-renames", "--diff-filter=A", f"--format={MARK}%S", "--no-ext-diff")
    plain = ("--no-color", "--no-show-signature", "--no-relative")  # whatever is configured for people
    limits = (f"--since={since}", f"--max-count={most}")
    tips = (ref.name for ref in refs)
    output = read("log", *options, *plain, *limits, *tips, "--not", *without, "--", *(each or "." for each in directories))
    found: dict[str, list[str]] = {}
    for entry in output.split(MARK)[1:]:
        name, _, paths = entry.partition("\0")
        found.setdefault(name, []).extend(path for path in paths.removeprefix("\n").split("\0") if path)
    return found
