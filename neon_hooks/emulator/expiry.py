"""Expiration timestamps: reading them, and the background job that deletes what has expired."""

from __future__ import annotations

import re
import threading
from datetime import datetime, timedelta

from neon_hooks.emulator import lifecycle, problems
from neon_hooks.emulator.model import now
from neon_hooks.emulator.project import Project

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
LONGEST_PAUSE = 1.0  # seconds between two looks
SHORTEST_PAUSE = 0.02


def parse(text: object) -> datetime:
    """The moment, in whole seconds. Raises Problem 400 when Neon would not take it."""
    if not isinstance(text, str) or not RFC_3339.fullmatch(text):
        raise problems.bad_request("expires_at must be an RFC 3339 timestamp with a time zone")
    try:
        moment = datetime.fromisoformat(text.upper()).replace(microsecond=0)
    except ValueError:
        raise problems.bad_request("expires_at must be an RFC 3339 timestamp with a time zone") from None
    if moment <= now():
        raise problems.bad_request("expires_at must be in the future")
    if moment > now() + lifecycle.LONGEST_TTL:
        raise problems.bad_request("expires_at must be at most 30 days in the future")
    return moment


class Deleter:
    """Neon's background job: ``expiry_lateness`` seconds late, and it waits while the project is locked."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="neon-emulator-expiry", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        pause = 0.0
        while not self._closed.wait(pause):
            with self._project.lock:
                pause = self._delete_expired()

    def _delete_expired(self) -> float:
        """Seconds until the next look."""
        lateness = timedelta(seconds=self._project.rules.expiry_lateness)
        due = [
            (neon_branch.expires_at + lateness, neon_branch)
            for neon_branch in self._project.neon_branches.values()
            if neon_branch.expires_at is not None
        ]
        if not due:
            return LONGEST_PAUSE
        moment, neon_branch = min(due, key=lambda entry: entry[0])
        left = (moment - now()).total_seconds()
        if left <= 0 and not self._project.operations.busy:
            lifecycle.delete(self._project, neon_branch, method="ttl")
        return min(max(left, SHORTEST_PAUSE), LONGEST_PAUSE)
