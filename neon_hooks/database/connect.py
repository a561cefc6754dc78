"""Opening a connection, patiently where a compute may still be waking up."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Unavailable

Connection = psycopg.Connection[tuple[Any, ...]]

APPLICATION_NAME = "neon-hooks"
CONNECT_TIMEOUT = 15  # seconds; Neon advises at least 10 for a compute that starts (docs, connection latency)
PAUSES = (0.1, 0.25, 0.5, 1.0, 2.0)  # seconds between attempts; the last one repeats


def connect(dsn: Dsn, **params: str) -> Connection:
    """One attempt, in autocommit mode. ``params`` are libpq's. Raises psycopg.OperationalError."""
    ours = {"connect_timeout": str(CONNECT_TIMEOUT), "application_name": APPLICATION_NAME}
    return psycopg.connect(dsn.with_params(**{**ours, **dsn.params, **params}).uri(), autocommit=True)


def connect_when_ready(dsn: Dsn, deadline: Deadline) -> Connection:
    """Keep trying while the compute wakes up.

    Raises DeadlineExceeded, and Unavailable at once when the server refuses the login: waiting would
    not help.
    """
    attempt = 0
    while True:
        try:
            return connect(dsn)
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[-1] if str(error).strip() else "no answer"
            if "authentication failed" in reason or "does not exist" in reason:
                raise Unavailable(
                    f"cannot log in to {dsn}: {reason}",
                    fix="check `database` and `role` in the settings",
                ) from None
        pause = PAUSES[min(attempt, len(PAUSES) - 1)]
        attempt += 1
        if deadline.remaining() <= pause:
            raise deadline.exceeded(f"{dsn} to accept connections ({reason})")
        time.sleep(pause)
