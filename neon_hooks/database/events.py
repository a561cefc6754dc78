"""What the observers in the database report, as data: event triggers, the lock sampler, the snapshot.

Pure: JSON text in, frozen dataclasses out. How the text comes to be is said in watchers.py, sampler.py and
snapshot.py; how it is carried (a notice on the tool's own connection, a row) is the caller's affair. All
moments are seconds since 1970 by the server's clock (see clock.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Class NH is nobody's: the manual keeps 0-4 and A-H for the standard (appendix A). Our notices, and no others.
SQLSTATE = "NH001"
UNITS = {"": 1, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
FIRST_OID = 16384  # what is below came with the server (FirstNormalObjectId)


@dataclass(frozen=True)
class OwnLock:
    """A relation lock of the session that reports. ``scans``: sequential scans of the relation (index scans
    of an index) that its statistics count at the moment. They begin again at 0 when the server flushes them,
    some time after a transaction's end: only a growth within a transaction means something.
    """

    relation: int
    mode: str
    scans: int


@dataclass(frozen=True)
class Object:
    """One object of a DDL command. ``identity`` is qualified and quoted where needed ("public.users"). GRANT and
    its like name a ``kind`` alone.
    """

    catalog: int  # pg_class is 1259
    oid: int
    kind: str
    identity: str
    tag: str


@dataclass(frozen=True)
class DroppedObject:
    """``original``: the command named it; otherwise it went because of another one."""

    kind: str
    identity: str
    oid: int
    original: bool
    normal: bool


@dataclass(frozen=True)
class Ddl:
    """A DDL command has come to its end. ``objects`` may be cut short, ``count`` never is.

    ``locks`` is None where they were not listed, because that had become dear (see watchers.py). ``built``: the
    scans (as for OwnLock) of the tables whose indexes it built, which CONCURRENTLY has unlocked by then.
    """

    at: float
    tag: str
    objects: tuple[Object, ...]
    count: int
    locks: tuple[OwnLock, ...] | None
    lock_timeout_ms: int
    statement_timeout_ms: int
    built: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Rewrite:
    """A table is about to be rewritten. ``reason`` has the bits of pg_event_trigger_table_rewrite_reason()."""

    at: float
    tag: str
    relation: int
    name: str
    reason: int


@dataclass(frozen=True)
class Drop:
    """Objects were dropped. ``dropped`` may be cut short, ``count`` never is."""

    at: float
    tag: str
    dropped: tuple[DroppedObject, ...]
    count: int


Event = Ddl | Rewrite | Drop


@dataclass(frozen=True)
class Snapshot:
    """What a session holds within its transaction: ``files`` are pg_class.relfilenode, ``scans`` those of tables
    (as for OwnLock), of the relations that it has locked. A relation that is not locked was not touched.
    ``changes`` counts rows updated and deleted, as ``scans`` does.
    """

    at: float
    locks: frozenset[tuple[int, str]]
    files: Mapping[int, int]
    scans: Mapping[int, int]
    lock_timeout_ms: int
    statement_timeout_ms: int
    changes: Mapping[int, int] = field(default_factory=dict)


def parse_event(text: str) -> Event | None:
    """The event that a notice with our SQLSTATE carries, None for a text that is not of that form."""
    try:
        found = json.loads(text)
        return _EVENTS[found["kind"]](found)
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def parse_snapshot(text: str) -> Snapshot | None:
    """The snapshot in the one column of snapshot_sql()'s one row, None for a text that is not of that form."""
    try:
        found = json.loads(text)
        return Snapshot(
            at=float(found["at"]),
            locks=frozenset((int(oid), str(mode)) for oid, mode in found["locks"]),
            files={int(oid): int(file) for oid, file in found["files"].items()},
            scans={int(oid): int(scans) for oid, scans in found["scans"].items()},
            lock_timeout_ms=_milliseconds(found["lock_timeout"]),
            statement_timeout_ms=_milliseconds(found["statement_timeout"]),
            changes={int(oid): int(rows) for oid, rows in found["changes"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _ddl(found: Mapping[str, Any]) -> Ddl:
    locks = found["locks"]
    return Ddl(
        at=float(found["at"]),
        tag=found["tag"],
        objects=tuple(Object(*row) for row in found["objects"]),
        count=found["count"],
        locks=None if locks is None else tuple(OwnLock(*row) for row in locks),
        lock_timeout_ms=_milliseconds(found["lock_timeout"]),
        statement_timeout_ms=_milliseconds(found["statement_timeout"]),
        built=dict(found["built"] or ()),
    )


def _milliseconds(shown: str) -> int:
    """Of a setting as SHOW has it: "0", "500ms", "5s", "1min", "2h", "1d"."""
    digits = shown.rstrip("abcdefghijklmnopqrstuvwxyz")
    return int(digits) * UNITS[shown[len(digits) :]]


def _rewrite(found: Mapping[str, Any]) -> Rewrite:
    return Rewrite(float(found["at"]), found["tag"], found["relation"], found["name"], found["reason"])


def _drop(found: Mapping[str, Any]) -> Drop:
    dropped = tuple(DroppedObject(*row) for row in found["dropped"])
    return Drop(float(found["at"]), found["tag"], dropped, found["count"])


_EVENTS: Mapping[str, Callable[[Mapping[str, Any]], Event]] = {"ddl": _ddl, "rewrite": _rewrite, "drop": _drop}
