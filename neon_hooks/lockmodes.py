"""What a table-level lock lets nobody else do. Pure: the manual's table of conflicts, and questions about it.

https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from __future__ import annotations

from enum import StrEnum

# A mode conflicts with those of its set, and each pair stands in both sets (manual, table 13.2).
CONFLICTS = {
    "AccessShareLock": {"AccessExclusiveLock"},
    "RowShareLock": {"ExclusiveLock", "AccessExclusiveLock"},
    "RowExclusiveLock": {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"},
    "ShareUpdateExclusiveLock": {
        "ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
    },
    "ShareLock": {
        "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
    },
    "ShareRowExclusiveLock": {
        "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock",
        "AccessExclusiveLock",
    },
    "ExclusiveLock": {
        "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock",
        "ExclusiveLock", "AccessExclusiveLock",
    },
    "AccessExclusiveLock": {
        "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
        "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
    },
}  # fmt: skip


class Use(StrEnum):
    """What a program does with a table all day."""

    READS = "reads"
    WRITES = "writes"


# The lock that it takes for that: SELECT, and INSERT, UPDATE, DELETE.
TAKEN_FOR = {Use.READS: "AccessShareLock", Use.WRITES: "RowExclusiveLock"}
READS_AND_WRITES, WRITES, NOTHING = "reads and writes", "writes", ""


def makes_wait(mode: str, use: Use) -> bool:
    """Whether a lock in ``mode`` (as pg_locks names it) makes those wait who ``use`` the table."""
    return mode in CONFLICTS[TAKEN_FOR[use]]


def blocks(mode: str) -> str:
    """ "reads and writes", "writes" or "" (neither): what blocks reads blocks writes as well."""
    if makes_wait(mode, Use.READS):
        return READS_AND_WRITES
    return WRITES if makes_wait(mode, Use.WRITES) else NOTHING
