"""What is gathered about the statements of a recorded run before they are told (account.py). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from neon_hooks.database.clock import Clock
from neon_hooks.database.events import Snapshot, parse_snapshot
from neon_hooks.database.sampler import Sample
from neon_hooks.facts import Catalogue, Dropped, LockHeld, Lost, Table
from neon_hooks.recorder import SNAPSHOT, Injection, Recording


@dataclass(frozen=True)
class Log:
    """What proxy and witnesses have. ``began`` and ``ended`` of the run, and ``gap``, are seconds."""

    recording: Recording
    samples: tuple[Sample, ...]
    clock: Clock
    began: float
    ended: float
    problems: tuple[str, ...] = ()
    gap: float = 0.0


@dataclass
class Notes:
    """What is known about one statement besides the statement itself."""

    locks: list[LockHeld] = field(default_factory=list)
    rewrites: list[str] = field(default_factory=list)
    scans: list[str] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    timeouts: tuple[float, float] | None = None
    changed: int | None = None  # rows, where the server's own answer has no number


class Relations:
    """The relations that existed before, with their indexes, by OID."""

    def __init__(self, before: Catalogue, unrecorded: frozenset[str]) -> None:
        self.tables: dict[int, Table] = {}
        self.names: dict[int, str] = {}
        for oid, table in before.tables.items():
            if table.name.rpartition(".")[2].strip('"') in unrecorded:
                continue
            self.tables[oid] = table
            self.names[oid] = table.name
            for index in table.indexes:
                self.tables[index.oid] = table
                self.names[index.oid] = index.name

    def table(self, oid: int) -> Table | None:
        """The table that is ``oid``, None for an index too."""
        table = self.tables.get(oid)
        return table if table and table.oid == oid else None


def snapshots_of(recording: Recording) -> list[tuple[Injection, Snapshot]]:
    parsed = ((i, parse_snapshot(i.text)) for i in recording.injections if i.purpose == SNAPSHOT)
    return [(injection, snapshot) for injection, snapshot in parsed if snapshot]
