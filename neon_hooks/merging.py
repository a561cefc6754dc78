"""What git would merge, made in the object database alone: no ref, no index and no work tree is touched.

Part of git.py, which owns the environment that git is started in. Nothing here knows what a migration is.
"""

from __future__ import annotations

from dataclasses import dataclass

from neon_hooks.errors import Unavailable, UsageError

# git-merge-tree(1): the form that merges commits is there since git 2.38.
ARGUMENTS = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages")
CLEAN, CONFLICTS, UNKNOWN_OPTION = 0, 1, 129


@dataclass(frozen=True)
class Merge:
    """``conflicts`` are paths; in the commit such files hold both sides, between conflict markers."""

    commit: str
    conflicts: tuple[str, ...] = ()


def read(status: int, output: str, complaint: str) -> tuple[str, tuple[str, ...]]:
    """The merged tree and the paths in conflict, as `git merge-tree -z` tells them."""
    if status == UNKNOWN_OPTION:
        raise UsageError("merging without a work tree needs git 2.38 or newer", fix="install a newer git")
    if status not in (CLEAN, CONFLICTS):
        words = " ".join(complaint.split()) or "no reason given"
        raise Unavailable(f"git merge-tree failed: {words}", fix="fetch both git refs with their history, and try again")
    tree, *paths = output.split("\0")
    return tree, tuple(dict.fromkeys(filter(None, paths)))
