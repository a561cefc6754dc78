"""Deleting a Neon database branch of ours, and not believing it before it is done.

DELETE is answered at once and carried out later, by operations that can fail; and "there is none" can
be as premature as the 404 that Neon is known to give shortly after a creation.
"""

from __future__ import annotations

from neon_hooks.neon.client import NeonClient
from neon_hooks.neon.models import Branch
from neon_hooks.neon.waiting import OperationBroken, pauses, wait_for_operations

ATTEMPTS = 3  # deletions that Neon accepts and then fails to carry out


def delete(client: NeonClient, branch: Branch) -> None:
    """Return when it is gone. Raises Unavailable when that did not come to pass before the deadline."""
    looks = pauses(client.deadline, f"Neon to delete {branch.name}")
    attempt = 1
    while True:
        next(looks)
        operations = client.delete_branch(branch.id)
        if operations is None:
            if not _is_listed(client, branch):
                return
            continue
        try:
            wait_for_operations(client, operations)
            return
        except OperationBroken:
            if attempt == ATTEMPTS:
                raise
            attempt += 1


def _is_listed(client: NeonClient, branch: Branch) -> bool:
    return any(found.id == branch.id for found in client.branches(search=branch.name))
