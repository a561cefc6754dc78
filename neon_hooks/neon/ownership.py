"""Whose a Neon database branch is, and whether its run may still be going on: names and annotations.

Pure but for the questions about this machine at the end.

Two developers push at the same time to one Neon project. A sweep must remove what a killed run left and
must never touch what another run still uses. It knows of the other run only what that wrote into the
annotation, so the rule is:

- not ours (no `tool`, no run id), default, protected, without expires_at, or with children: kept;
- older than any run can be (by Neon's clock, for both ends): removed;
- younger, made in this very place (same host name, same boot, same process namespace) by a process that
  is gone: removed;
- younger otherwise: kept. Another machine's process cannot be seen from here; minutes later the age
  decides, and hours later Neon's own expiry.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neon_hooks.neon.models import Branch, moment
from neon_hooks.settings import MAX_DEADLINE

PREFIX = "neon-hooks"
TOOL = "tool"  # always "neon-hooks"
RUN = "neon-hooks-run"  # random: this and no other run has made it
GIT_SHA = "neon-hooks-git-sha"
GIT_BRANCH = "neon-hooks-git-branch"
HOST = "neon-hooks-host"
PLACE = "neon-hooks-place"  # a hash; equal only where process ids mean the same
PID = "neon-hooks-pid"
CREATED_AT = "neon-hooks-created-at"

LONGEST_SEGMENT = 100  # a Neon database branch's name has at most 256 characters
LONGEST_RUN = MAX_DEADLINE + 120.0  # seconds: the largest deadline, the clean-up, and a margin


@dataclass(frozen=True)
class Identity:
    """What one run writes on the test Neon database branch that it makes."""

    name: str
    run: str
    annotation: Mapping[str, str]

    def made(self, branch: Branch) -> bool:
        """Whether ``branch`` is the very one that this run asked for."""
        ours = branch.name == self.name and branch.annotation.get(RUN) == self.run
        return ours and not branch.default and not branch.protected


def new_identity(git_sha: str, git_ref: str, now: datetime) -> Identity:
    run = secrets.token_hex(8)
    git_branch = re.sub(r"^refs/(heads|tags)/", "", git_ref)
    annotation = {
        TOOL: PREFIX,
        RUN: run,
        GIT_SHA: git_sha,
        GIT_BRANCH: git_branch[:LONGEST_SEGMENT],
        HOST: socket.gethostname(),
        PLACE: place(),
        PID: str(os.getpid()),
        CREATED_AT: now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    name = f"{PREFIX}/{segment(git_branch)}/{segment(git_sha[:8])}-{run[:8]}"
    return Identity(name, run, annotation)


def segment(words: str) -> str:
    """Part of a name in the only characters that Neon's CLI takes between slashes: a-z, 0-9 and "-"."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower())[:LONGEST_SEGMENT].strip("-") or "unnamed"


def is_ours(branch: Branch) -> bool:
    return branch.annotation.get(TOOL) == PREFIX and bool(branch.annotation.get(RUN))


def runs_of(branches: Iterable[Branch], parent_id: str) -> list[tuple[str, str, str]]:
    """Name, git branch and commit of each of ours that is a copy of this parent."""
    ours = [(branch.name, branch.annotation) for branch in branches if is_ours(branch) and branch.parent_id == parent_id]
    return [(name, said.get(GIT_BRANCH, ""), said.get(GIT_SHA, "")) for name, said in ours]


def judged(branches: Iterable[Branch], now: datetime) -> list[tuple[Branch, str]]:
    """Each of ours among ``branches`` (all of the project) and why it stays, "" for a left-over."""
    everything = list(branches)
    parents = frozenset(branch.parent_id for branch in everything)
    return [(branch, _kept_because(branch, parents, now)) for branch in everything if is_ours(branch)]


def _kept_because(branch: Branch, parents: frozenset[str], now: datetime) -> str:
    """Why this one of ours stays, "" when it is a left-over. ``parents``: the ids that have children."""
    created = moment(branch.created_at)
    reasons = (
        (branch.default, "it is the default one"),
        (branch.protected, "it is protected"),
        (not branch.expires_at, "it has no expires_at: somebody keeps it"),
        (branch.id in parents, "it has children"),
        (created is None, "its age is unknown"),
    )
    for holds, reason in reasons:
        if holds:
            return reason
    assert created is not None
    if (now - created).total_seconds() > LONGEST_RUN or _its_process_is_gone(branch.annotation):
        return ""
    return f"its run on {branch.annotation.get(HOST) or 'another machine'} may still be going on"


def _its_process_is_gone(annotation: Mapping[str, str]) -> bool:
    pid = annotation.get(PID, "")
    here = bool(place()) and annotation.get(PLACE) == place()
    return here and pid.isascii() and pid.isdigit() and not is_alive(int(pid))


def place() -> str:
    """Where a process id means the same process; "" where that cannot be told.

    The host name alone is not enough: containers share names, and each counts its processes anew.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
    return hashlib.sha256(f"{socket.gethostname()} {boot} {namespace}".encode()).hexdigest()[:16]


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not. Only asked on Linux, see ``place``."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except (OSError, OverflowError, IndexError):
        return True
    return state not in "ZX"
