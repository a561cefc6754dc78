"""The observers in the database as one thing: there while a tool runs, and gone without a trace afterwards.

What does not work is said in ``problems`` and stops nobody: then the evidence is partial.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import psycopg

from neon_hooks.database.clock import Clock
from neon_hooks.database.connect import connect_when_ready
from neon_hooks.database.sampler import Sample, Sampler
from neon_hooks.database.snapshot import snapshot_sql
from neon_hooks.database.watchers import Watchers, install, remove
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn

FIRST_LOOK = 2.0  # seconds to wait for it
# The tool is gone, but a server process of it may be rolling back what it had begun.
PATIENCE = "10s"


@dataclass
class Witnesses:
    """``snapshot`` is the query for the tool's own session. The rest is complete when the context has ended:
    ``samples`` and ``clock`` are the sampler's, ``gap`` its longest time in seconds without a look.
    """

    snapshot: str
    samples: list[Sample] = field(default_factory=list)
    clock: Clock = Clock()
    gap: float = 0.0
    problems: list[str] = field(default_factory=list)


@contextmanager
def witnesses(dsn: Dsn, deadline: Deadline) -> Iterator[Witnesses]:
    """Event triggers and the sampler, on the database at ``dsn``. Raises Unavailable and DeadlineExceeded when
    it cannot be connected to.
    """
    with closing(connect_when_ready(dsn, deadline)) as connection:
        watchers = install(connection)
        seen = Witnesses(snapshot_sql(watchers.max_oid))
        if watchers.refused:
            seen.problems.append(f"the server does not let this role create event triggers: {watchers.refused}")
        sampler = Sampler(dsn, watchers.max_oid)
        try:
            sampler.start()
            sampler.wait(deadline.at_most(FIRST_LOOK))
            yield seen
        finally:
            sampler.stop()
            _clear(dsn, watchers, seen)
        seen.samples, seen.clock, seen.gap = sampler.samples, sampler.clock, sampler.largest_gap
        if sampler.failure:
            seen.problems.append(f"the locks could not be sampled: {sampler.failure}")


def _clear(dsn: Dsn, watchers: Watchers, seen: Witnesses) -> None:
    """On a connection of its own: the first one may be gone, with whatever went wrong."""
    if watchers.refused:
        return
    try:
        with closing(psycopg.connect(dsn.uri(), autocommit=True, connect_timeout=5)) as connection:
            connection.execute(f"set lock_timeout = '{PATIENCE}'".encode())
            remove(connection)
    except psycopg.Error as error:
        seen.problems.append(f"the event triggers could not be removed: {str(error).strip().splitlines()[0]}")
