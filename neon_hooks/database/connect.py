"""Opening a connection, patiently where a compute may still be waking up."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType

import psycopg

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Unavailable

APPLICATION_NAME = "neon-hooks"
CONNECT_TIMEOUT = 15  # seconds; Neon advises at least 10 for a compute that starts (docs, connection latency)
PAUSES = (0.1, 0.25, 0.5, 1.0, 2.0)  # seconds between attempts; the last one repeats


def connect(dsn: Dsn, **params: str) -> psycopg.Connection[tuple[object, ...]]:
    """One attempt, in autocommit mode. Raises psycopg.OperationalError."""
    fields: Mapping[str, str | int] = MappingProxyType(
        {"connect_timeout": CONNECT_TIMEOUT, "application_name": APPLICATION_NAME, **params}
    )
    return psycopg.connect(dsn.uri(), autocommit=True, **fields)


def connect_when_ready(dsn: Dsn, deadline: Deadline) -> psycopg.Connection[tuple[object, ...]]:
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
