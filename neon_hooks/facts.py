"""What happened on the test Neon database branch: plain, frozen data, and nothing else.

Trials write Facts, checks read them, reports print them. No text here is meant for people, and none
holds a secret: what comes from a tool or a database is redacted before it becomes a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from neon_hooks.changes import Range
from neon_hooks.plan import Proof, Unit, Work

# What every statement is told after the one that failed (manual, appendix A): some tools go on regardless.
IN_FAILED_TRANSACTION = "25P02"


@dataclass(frozen=True)
class DatabaseError:
    """Postgres' own words (manual, section 54.8: error and notice message fields).

    ``position`` counts characters of the statement from 1, 0 when unknown.
    """

    sqlstate: str
    message: str
    detail: str = ""
    hint: str = ""
    context: str = ""
    position: int = 0


@dataclass(frozen=True)
class LockHeld:
    relation: str
    mode: str
    held_ms: float
    existed_before: bool
    rows: int | None = None


@dataclass(frozen=True)
class Statement:
    """One statement as it went to the server.

    ``path`` and ``line`` say which migration file it came from, "" and 0 where that is unknown. Times
    are relative to the run's start; ``transaction`` counts from 1 within a run. ``frames`` are the lines
    (path, line) of the project's code that led to it, innermost first.
    """

    sql: str
    path: str = ""
    line: int = 0
    started_ms: float = 0.0
    ms: float = 0.0
    transaction: int = 0
    rows: int | None = None
    locks: tuple[LockHeld, ...] = ()
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    error: DatabaseError | None = None
    params: str = ""
    frames: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class ToolRun:
    """One start of a migration tool. ``argv`` is for display; ``output`` its first and last lines, redacted.

    ``replaced`` are the environment variables whose values were withheld. ``redirected``: the driver
    shim was in the process, and each of the ``connections`` it saw went to the test Neon database branch.
    ``replayed``: the tool was not there, and its SQL files were run in its place.
    """

    argv: tuple[str, ...]
    exit_code: int
    ms: float
    output: str
    statements: tuple[Statement, ...] = ()
    replaced: tuple[str, ...] = ()
    redirected: bool = False
    connections: int = 0
    replayed: bool = False

    @property
    def failed(self) -> Statement | None:
        """The last statement that Postgres refused for its own sake, if the tool failed."""
        wrong = [s for s in self.statements if s.error]
        own = [s for s in wrong if s.error and s.error.sqlstate != IN_FAILED_TRANSACTION]
        return (own or wrong)[-1] if wrong and self.exit_code else None


@dataclass(frozen=True)
class MigrationRun:
    """``applied``: it was not recorded before the run and is afterwards."""

    id: str
    path: str
    system: str
    pushed: bool
    applied: bool
    applied_before: bool
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class UnitFacts:
    """What was done with one unit.

    ``rows_before`` and ``rows_after`` are the bookkeeping's ids, None where a system keeps none.
    ``again`` is the second run; ``again_diff`` what it changed in the schema or the bookkeeping.
    ``unknown_rows`` are ids recorded before the run of which the pushed tree has no file,
    ``pending_on_main`` the ids of the tree that were not applied then (None: not known), ``skipped`` those
    of them that the tool passes over in silence.
    """

    work: Work
    migrations: tuple[MigrationRun, ...] = ()
    first: ToolRun | None = None
    again: ToolRun | None = None
    rows_before: frozenset[str] | None = None
    rows_after: frozenset[str] | None = None
    unknown_rows: frozenset[str] = frozenset()
    pending_on_main: frozenset[str] | None = None
    skipped: frozenset[str] = frozenset()
    proof: Proof = Proof()
    schema_diff: str = ""
    again_diff: str = ""

    @property
    def unit(self) -> Unit:
        return self.work.unit


@dataclass(frozen=True)
class NeonBranch:
    """The test Neon database branch as the report names it."""

    id: str
    name: str
    parent_id: str
    parent_name: str
    expires_at: str
    deleted: bool = False


@dataclass(frozen=True)
class Facts:
    """All that is known about one pushed range. ``data``: what the test Neon database branch was a copy of."""

    range: Range
    units: tuple[UnitFacts, ...] = ()
    neon_branch: NeonBranch | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    data: str = "full"
