"""How the server's clock differs from ours, so that what both report can be put on one time line."""

from __future__ import annotations

import time
from dataclasses import dataclass

from neon_hooks.database.connect import Connection

ATTEMPTS = 5


@dataclass(frozen=True)
class Clock:
    """A moment of the server's clock is ``offset_seconds`` more than time.time() at that moment.

    The error is half of ``round_trip_seconds`` at most: nobody knows which way took longer.
    """

    offset_seconds: float = 0.0
    round_trip_seconds: float = 0.0

    def ours(self, at: float) -> float:
        """The server's moment ``at`` by time.time()."""
        return at - self.offset_seconds

    def servers(self, at: float) -> float:
        """Our moment ``at`` by the server's clock."""
        return at + self.offset_seconds


def measure(connection: Connection) -> Clock:
    """By the shortest of several round trips. Raises psycopg.Error."""
    return min((_attempt(connection) for _ in range(ATTEMPTS)), key=lambda clock: clock.round_trip_seconds)


def _attempt(connection: Connection) -> Clock:
    sent, began = time.time(), time.perf_counter()
    row = connection.execute("select extract(epoch from pg_catalog.clock_timestamp())::pg_catalog.float8").fetchone()
    round_trip = time.perf_counter() - began
    assert row is not None
    return Clock(float(row[0]) - (sent + round_trip / 2), round_trip)
