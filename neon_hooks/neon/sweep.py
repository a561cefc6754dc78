"""Removing what killed runs left behind. Which ones those are is ownership.py's rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from neon_hooks.deadline import Deadline
from neon_hooks.errors import Unavailable
from neon_hooks.facts import NeonBranch
from neon_hooks.neon import ownership
from neon_hooks.neon.choices import with_project
from neon_hooks.neon.client import NeonClient
from neon_hooks.neon.deletion import delete
from neon_hooks.neon.models import Branch
from neon_hooks.settings import Settings


@dataclass(frozen=True)
class Kept:
    """One of ours that stays, and why."""

    neon_branch: NeonBranch
    reason: str


@dataclass(frozen=True)
class Swept:
    """``would_delete`` is of a dry run, ``deleted`` of a real one. Foreign ones are not listed."""

    deleted: tuple[NeonBranch, ...] = ()
    would_delete: tuple[NeonBranch, ...] = ()
    kept: tuple[Kept, ...] = ()


def sweep(settings: Settings, *, dry_run: bool, deadline: Deadline, connection_string: str = "") -> Swept:
    """Delete the left-overs of neon-hooks in the project, and nothing else.

    A deletion that Neon refuses does not stop the others: it is listed as kept, with the reason. Raises
    UsageError without a project, Unavailable when the project cannot be listed.
    """
    with NeonClient(settings, deadline) as client:
        client.project_id = with_project(settings, client, connection_string).project_id
        branches = client.branches()
        names = {branch.id: branch.name for branch in branches}
        deleted, would_delete, kept = [], [], []
        for branch, reason in ownership.judged(branches, client.now()):
            if reason:
                kept.append(Kept(_fact(branch, names.get(branch.parent_id, "")), reason))
            elif dry_run:
                would_delete.append(_fact(branch, names.get(branch.parent_id, "")))
            elif problem := _delete(client, branch):
                kept.append(Kept(_fact(branch, names.get(branch.parent_id, "")), problem))
            else:
                deleted.append(_fact(branch, names.get(branch.parent_id, ""), deleted=True))
    return Swept(tuple(deleted), tuple(would_delete), tuple(kept))


def _delete(client: NeonClient, branch: Branch) -> str:
    """Why it could not be deleted, "" when it is gone."""
    try:
        delete(client, branch)
    except Unavailable as error:
        return error.message
    return ""


def _fact(branch: Branch, parent_name: str, *, deleted: bool = False) -> NeonBranch:
    return NeonBranch(branch.id, branch.name, branch.parent_id, parent_name, branch.expires_at, deleted)
