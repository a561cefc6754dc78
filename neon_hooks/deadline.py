"""How much time is left. Pure; whoever waits asks here how long it may.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from neon_hooks.errors import DeadlineExceeded

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def parse_duration(text: str) -> float:
    """Seconds in ``"90s"``, ``"1.5m"`` or ``"4h"``. Raises ValueError for anything else."""
    match = DURATION.fullmatch(text.strip())
    if not match:
        raise ValueError('a duration such as "60s", "2m" or "4h"')
    return float(match[1]) * UNITS[match[2]]


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock, and the number of seconds that led to it."""

    at: float
    seconds: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds, seconds)

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - time.monotonic())

    def at_most(self, seconds: float) -> float:
        """Seconds that one step may take."""
        return min(seconds, self.remaining())

    def check(self, waiting_for: str) -> None:
        """Raise DeadlineExceeded, naming what we waited for, when no time is left."""
        if not self.remaining():
            raise self.exceeded(waiting_for)

    def exceeded(self, waiting_for: str) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"the deadline of {self.seconds:g} s was reached while waiting for {waiting_for}",
            fix="raise `deadline` in the settings or NEON_HOOKS_DEADLINE=180s for one push;"
            " Git hosts drop a connection that idles for about 6 minutes",
        )
