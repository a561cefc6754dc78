"""Waiting until Neon has done what it promised. Knows operations, not why they were started.

Which states are final is told differently by Neon's documents and by its SDK; the strict reading of
success (finished, skipped) and the patient one of `failed` ("may be retried") satisfy both.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from neon_hooks.deadline import Deadline
from neon_hooks.errors import Unavailable
from neon_hooks.neon.answers import one_line
from neon_hooks.neon.client import NeonClient
from neon_hooks.neon.models import Operation

SUCCEEDED = ("finished", "skipped")
BROKEN = ("error", "cancelled")
ANONYMIZATION_BROKEN = ("error", "initialization_error")
FIRST_PAUSE, GROWTH, LONGEST_PAUSE = 0.2, 1.5, 2.0  # seconds, factor, seconds


class OperationBroken(Unavailable):
    """One of Neon's operations cannot succeed any more."""


def pauses(deadline: Deadline, waiting_for: str) -> Iterator[None]:
    """``next`` sleeps between two looks: not before the first one, then longer and longer.

    Raises DeadlineExceeded when there is no time for another look.
    """
    pause = FIRST_PAUSE
    while True:
        yield
        if deadline.remaining() <= pause:
            raise deadline.exceeded(waiting_for)
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * GROWTH)


def wait_for_operations(client: NeonClient, operations: Iterable[Operation]) -> None:
    """Return when every operation has succeeded.

    Raises OperationBroken, with the operation's name and Neon's words, when one cannot any more.
    """
    for operation in operations:
        looks = pauses(client.deadline, f"Neon's operation {operation.action}")
        while not _succeeded(operation):
            next(looks)
            operation = client.operation(operation.id)


def _succeeded(operation: Operation) -> bool:
    if operation.status in BROKEN or (operation.status == "failed" and not _retry_announced(operation)):
        raise OperationBroken(
            f"Neon's operation {operation.action} ended with {operation.status}:"
            f" {one_line(operation.error) or 'no reason given'}",
            fix="push again; the Neon Console shows the project's operations",
        )
    return operation.status in SUCCEEDED


def _retry_announced(operation: Operation) -> bool:
    return bool(operation.retry_at) or operation.failures > 0


def wait_for_anonymization(client: NeonClient, branch_id: str) -> None:
    """Return when the copy is masked. Raises Unavailable when Neon could not do it."""
    for _ in pauses(client.deadline, "Neon to anonymize the test Neon database branch"):
        state, words = client.anonymized_state(branch_id)
        if state == "anonymized":
            return
        if state in ANONYMIZATION_BROKEN:
            raise Unavailable(
                f"Neon could not anonymize the test Neon database branch ({state}):"
                f" {words or 'no reason given'}",
                fix='check the masking rules in the Neon Console, or set `data = "full"`',
            )
