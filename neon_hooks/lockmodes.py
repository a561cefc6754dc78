"""What the others must wait for while a lock on a table is held. Pure.

From the table of conflicting modes (https://www.postgresql.org/docs/current/explicit-locking.html, 13.3.1): a
read takes AccessShareLock, a write RowExclusiveLock.
"""

from __future__ import annotations

from collections.abc import Mapping

READS_AND_WRITES, WRITES, NOTHING = "reads and writes", "writes", ""

# As pg_locks has them: (do reads wait?, do writes wait?)
MODES: Mapping[str, tuple[bool, bool]] = {
    "AccessShareLock": (False, False),
    "RowShareLock": (False, False),
    "RowExclusiveLock": (False, False),
    "ShareUpdateExclusiveLock": (False, False),
    "ShareLock": (False, True),
    "ShareRowExclusiveLock": (False, True),
    "ExclusiveLock": (False, True),
    "AccessExclusiveLock": (True, True),
}


def blocks(mode: str) -> str:
    """ "reads and writes", "writes" or "" (neither)."""
    reads, writes = MODES.get(mode, (False, False))
    return READS_AND_WRITES if reads else WRITES if writes else NOTHING
