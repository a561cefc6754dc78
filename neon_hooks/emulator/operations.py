"""Neon's operations: steps that run one after the other in the background, and lock the project meanwhile.

Nothing here knows what a step does. A step has ``work``, which may take long and runs without the
project's lock, and ``done``, which changes the project's state and runs with it, in the same moment in
which the operation becomes "finished".
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from neon_hooks.emulator.model import Kept, now, shown

HISTORY = 10_000  # operations to remember; Neon keeps six months


class Status(StrEnum):
    SCHEDULING = "scheduling"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    ERROR = "error"
    CANCELLED = "cancelled"


FINAL = (Status.FINISHED, Status.ERROR, Status.CANCELLED)


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Step:
    """One operation to come."""

    action: str
    neon_branch_id: str | None = None
    endpoint_id: str | None = None
    work: Callable[[], None] = _nothing
    done: Callable[[], None] = _nothing
    seconds: float = 0.0


@dataclass(frozen=True)
class Mishap:
    """What befalls an operation: "failed" (and it is retried), "error", "cancelled" or "stuck".

    ``action``: only to operations with this one; "" is any. ``seconds``: until the retry.
    """

    ending: str
    action: str = ""
    seconds: float = 0.2


@dataclass
class Operation(Kept):
    """As the API shows it."""

    id: str
    project_id: str
    action: str
    branch_id: str | None = None
    endpoint_id: str | None = None
    status: Status = Status.SCHEDULING
    error: str | None = None
    failures_count: int = 0
    retry_at: datetime | None = None
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    total_duration_ms: int = 0

    def turn(self, status: Status) -> None:
        self.status = status
        self.updated_at = now()

    def to_json(self) -> dict[str, Any]:
        values = {
            "id": self.id,
            "project_id": self.project_id,
            "branch_id": self.branch_id,
            "endpoint_id": self.endpoint_id,
            "action": self.action,
            "status": self.status,
            "error": self.error,
            "failures_count": self.failures_count,
            "retry_at": shown(self.retry_at) if self.retry_at else None,
            "created_at": shown(self.created_at),
            "updated_at": shown(self.updated_at),
            "total_duration_ms": self.total_duration_ms,
        }
        return {key: value for key, value in values.items() if value is not None}


class Operations:
    """The queue and its worker. ``lock`` is the project's; ``seconds`` the least that each takes.

    ``changed`` is called, with the lock held, whenever an operation has come to its end.
    """

    def __init__(
        self, project_id: str, lock: threading.RLock, seconds: float, changed: Callable[[], None]
    ) -> None:
        self.history: deque[Operation] = deque(maxlen=HISTORY)  # the newest first
        self.mishap: Mishap | None = None  # for whatever is scheduled next
        self._project_id = project_id
        self._lock = lock
        self._seconds = seconds
        self._changed = changed
        self._queue: deque[list[tuple[Operation, Step, Mishap | None]]] = deque()
        self._news = threading.Condition(lock)
        self._closed = threading.Event()
        self._unstuck = threading.Event()
        self._worker = threading.Thread(target=self._work, name="neon-emulator-operations", daemon=True)

    def start(self) -> None:
        self._worker.start()

    @property
    def busy(self) -> bool:
        """Whether Neon would answer 423."""
        return any(operation.status not in FINAL for batch in self._queue for operation, _, _ in batch)

    def schedule(self, *steps: Step) -> Sequence[Operation]:
        """Queue ``steps``: each waits for the one before, and is cancelled when that one does not finish."""
        first = Status.SCHEDULING if self.busy else Status.RUNNING
        batch = []
        for step in steps:
            operation = Operation(
                str(uuid.uuid4()), self._project_id, step.action, step.neon_branch_id, step.endpoint_id
            )
            self.history.appendleft(operation)
            batch.append((operation, step, self._mishap_of(step)))
        batch[0][0].turn(first)
        self._queue.append(batch)
        self._news.notify_all()
        return [operation for operation, _, _ in batch]

    def _mishap_of(self, step: Step) -> Mishap | None:
        mishap = self.mishap
        if mishap is None or mishap.action not in ("", step.action):
            return None
        self.mishap = None
        self._unstuck.clear()
        return mishap

    def release_stuck(self) -> None:
        """Let operations that are stuck go on."""
        self._unstuck.set()

    def close(self) -> None:
        """Finish the step that runs, forget the others."""
        with self._lock:
            self.mishap = None
            self._closed.set()
            self._unstuck.set()
            self._news.notify_all()
        if self._worker.is_alive():
            self._worker.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                self._news.wait_for(lambda: self._queue or self._closed.is_set())
                if self._closed.is_set():
                    return
                batch = self._queue[0]
            for position, (operation, step, mishap) in enumerate(batch):
                if not self._run(operation, step, mishap):
                    self._cancel([later for later, _, _ in batch[position + 1 :]])
                    break
            with self._lock:
                self._queue.popleft()
                self._changed()

    def _run(self, operation: Operation, step: Step, mishap: Mishap | None) -> bool:
        """Whether the operation finished."""
        started = time.monotonic()
        with self._lock:
            operation.turn(Status.RUNNING)
        if self._closed.is_set() or (mishap and not self._befall(operation, mishap)):
            return False
        try:
            step.work()
        except Exception as error:  # whatever it is, it is the operation's result and not the worker's end
            self._end(operation, Status.ERROR, started, str(error))
            return False
        self._closed.wait(max(0.0, max(self._seconds, step.seconds) - (time.monotonic() - started)))
        self._end(operation, Status.FINISHED, started, then=step.done)
        return True

    def _befall(self, operation: Operation, mishap: Mishap) -> bool:
        """Whether the operation goes on after its mishap."""
        if mishap.ending == "stuck":
            self._unstuck.wait()
            return not self._closed.is_set()
        if mishap.ending == "failed":
            with self._lock:
                operation.turn(Status.FAILED)
                operation.failures_count += 1
                operation.error = "injected failure"
                operation.retry_at = now() + timedelta(seconds=mishap.seconds)
            self._closed.wait(mishap.seconds)
            with self._lock:
                operation.turn(Status.RUNNING)
                operation.error = operation.retry_at = None
            return not self._closed.is_set()
        self._end(operation, Status(mishap.ending), time.monotonic(), "injected failure")
        return False

    def _end(
        self,
        operation: Operation,
        status: Status,
        started: float,
        error: str | None = None,
        then: Callable[[], None] = _nothing,
    ) -> None:
        with self._lock:
            operation.error = error
            operation.total_duration_ms = round((time.monotonic() - started) * 1000)
            then()
            operation.turn(status)

    def _cancel(self, operations: Sequence[Operation]) -> None:
        with self._lock:
            for operation in operations:
                operation.turn(Status.CANCELLED)
