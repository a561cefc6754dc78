"""What happened on the test Neon database branch: plain, frozen data, and nothing else.

Trials write Facts, checks read them, reports print them. No text here is meant for people, and none
holds a secret: what comes from a tool or a database is redacted before it becomes a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from neon_hooks.changes import Range
from neon_hooks.limits import Limits
from neon_hooks.plan import Clash, Proof, Unit, Work
from neon_hooks.queries import Query

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
    """A lock on a table or one of its indexes, from the moment it was taken until it was released.

    ``mode`` as pg_locks has it ("AccessExclusiveLock", manual, section 13.3). ``relation`` is the name
    before the run; ``table`` the table's where the relation is an index, else the same. ``acquired_ms`` is
    relative to the run's start. ``held_ms`` ends with the transaction mostly, and does not count what the
    recorder itself did meanwhile. ``rows`` and ``bytes`` are those before the run, None where not known.
    """

    relation: str
    mode: str
    held_ms: float
    existed_before: bool
    rows: int | None = None
    oid: int = 0
    table: str = ""
    acquired_ms: float = 0.0
    bytes: int | None = None


@dataclass(frozen=True)
class Dropped:
    """An object that was dropped. ``kind`` and ``identity`` as pg_event_trigger_dropped_objects() has them
    ("table column", "public.users.email"); ``cascaded``: it went because of another one.
    """

    kind: str
    identity: str
    cascaded: bool = False


@dataclass(frozen=True)
class Lost:
    """Data that a statement took away. ``column`` "" means whole rows. ``values`` counts those that were not
    null; ``exact`` is False for an estimate from the planner's statistics.
    """

    relation: str
    column: str
    values: int
    exact: bool = True


@dataclass(frozen=True)
class Statement:
    """One statement as it went to the server.

    ``path`` and ``line`` say which migration file it came from, "" and 0 where that is unknown. Times
    are relative to the run's start; ``transaction`` counts from 1 within a run. ``frames`` are the lines
    (path, line) of the project's code that led to it, innermost first. ``tag`` is the server's command tag
    without its count ("ALTER TABLE", ""), ``in_block``: it ran inside a transaction that other statements
    share. ``rewrites`` and ``scans`` are names of tables that existed before. ``lock_timeout_ms`` and
    ``statement_timeout_ms`` were in force, 0 for no limit, None where not known. ``warnings`` are the
    SQLSTATEs of warnings that the server sent with it.
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
    tag: str = ""
    in_block: bool = False
    dropped: tuple[Dropped, ...] = ()
    lost: tuple[Lost, ...] = ()
    lock_timeout_ms: float | None = None
    statement_timeout_ms: float | None = None
    warnings: tuple[str, ...] = ()


class Evidence(StrEnum):
    """How much of a run the flight recorder saw."""

    NONE = "none"  # it did not take part
    PARTIAL = "partial"  # not all locks, or not all statements; ToolRun.unrecorded says why
    FULL = "full"


@dataclass(frozen=True)
class Transaction:
    """One transaction of a run, an autocommit statement included. ``number`` is that of its statements."""

    number: int
    started_ms: float
    ended_ms: float
    committed: bool


@dataclass(frozen=True)
class ToolRun:
    """One start of a migration tool. ``argv`` is for display; ``output`` its first and last lines, redacted.

    ``replaced`` are the environment variables whose values were withheld. ``redirected``: the driver
    shim was in the process, and each of the ``connections`` it saw went to the test Neon database branch.
    ``replayed``: the tool was not there, and its SQL files were run in its place. ``unrecorded`` says what
    is missing in the evidence. ``round_trip_ms`` is the network's share of every statement.
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
    evidence: Evidence = Evidence.NONE
    unrecorded: str = ""
    transactions: tuple[Transaction, ...] = ()
    round_trip_ms: float = 0.0

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
class Column:
    """``number`` is pg_attribute.attnum, which outlives a renaming; ``type`` as format_type() prints it.

    ``default`` is "identity" for an identity column, the expression for a generated one. ``null_fraction`` is
    the planner's estimate, None where it has none.
    """

    number: int
    name: str
    type: str
    not_null: bool
    default: str = ""
    null_fraction: float | None = None


@dataclass(frozen=True)
class Index:
    """``keys``: what a B-tree index orders by, column by column with its operator class, collation and direction;
    empty for any other index and for one with expressions.
    """

    oid: int
    name: str
    valid: bool
    unique: bool
    primary: bool
    columns: tuple[int, ...]  # pg_attribute.attnum; 0 for an expression
    partial: bool = False
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Constraint:
    """``kind`` is pg_constraint.contype: c check, f foreign key, n not null, p primary, u unique, x exclusion."""

    oid: int
    name: str
    kind: str
    validated: bool
    columns: tuple[int, ...]
    references: str = ""
    definition: str = ""


@dataclass(frozen=True)
class Table:
    """A table (``kind`` r, p, m, v, f: pg_class.relkind) with what hangs on it, at one moment.

    ``rows`` is exact for small tables, else the planner's estimate. ``filenode`` changes when the table is
    rewritten. ``published``: logical replication sends its changes; ``replica_identity`` is
    pg_class.relreplident. ``disabled_triggers`` are names of those that do not fire in a normal session.
    ``privileges`` are (role or PUBLIC, privilege) of all but the owner.
    """

    oid: int
    name: str
    kind: str
    rows: int | None
    bytes: int
    filenode: int = 0
    columns: tuple[Column, ...] = ()
    indexes: tuple[Index, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    published: bool = False
    replica_identity: str = "d"
    disabled_triggers: tuple[str, ...] = ()
    row_security: bool = False
    policies: tuple[str, ...] = ()
    privileges: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """All tables outside the system's schemas, by OID. ``server_version`` as server_version_num, 0 unknown."""

    tables: Mapping[int, Table] = field(default_factory=dict)
    server_version: int = 0

    def named(self, name: str) -> Table | None:
        return next((table for table in self.tables.values() if table.name == name), None)


@dataclass(frozen=True)
class Linted:
    """What the linter says of one statement, from its text alone. ``rule`` is the linter's own name for it.

    ``line`` is where it points in ``path``, 0 where that is unknown; the statement stands on the lines from
    ``first`` to ``last``. ``new_table``: it is about a table that the push itself creates.
    """

    rule: str
    path: str
    line: int
    message: str
    help: str = ""
    sql: str = ""
    first: int = 0
    last: int = 0
    new_table: bool = False


@dataclass(frozen=True)
class Accepted:
    """A comment ``neon-hooks: accept RULE because REASON`` on ``line`` of a migration's file.

    It speaks for the lines from ``first`` to ``last``, both 0 for the whole file. ``problem`` says what is
    wrong with the comment itself, "" if it can be read.
    """

    path: str
    line: int
    rule: str
    reason: str
    first: int = 0
    last: int = 0
    problem: str = ""


@dataclass(frozen=True)
class ChangedColumn:
    """How many ``values`` of a column are not what they were, in rows that are still there."""

    name: str
    values: int
    type: str
    type_now: str


@dataclass(frozen=True)
class Contents:
    """What became of the ``rows`` that a table had: how many are ``missing``, and how many were ``added``."""

    table: str
    rows: int
    missing: int = 0
    added: int = 0
    columns: tuple[ChangedColumn, ...] = ()


@dataclass(frozen=True)
class DownAndUp:
    """The pushed migrations taken back and applied once more.

    ``down`` is the last run on the way back, ``diff`` what then differs from the schema and the bookkeeping
    before the first run, ``up`` the run that applied them again, None where the way back failed. ``lost`` is what
    the migrations had made and filled, and the way back dropped; ``contents`` what is not as it was before them.
    """

    down: ToolRun
    diff: str = ""
    up: ToolRun | None = None
    lost: tuple[Lost, ...] = ()
    contents: tuple[Contents, ...] = ()


class Agreement(StrEnum):
    """What a tool says of its models and its migrations."""

    SAME = "same"
    DIFFERENT = "different"
    NOTHING = "nothing"  # there are no models
    UNKNOWN = "unknown"  # it could not be started, or gave up


@dataclass(frozen=True)
class Compared:
    """One comparison of models and migrations. ``run`` is None where the tool could not be started, or was stopped
    after ``slow_ms``.
    """

    agreement: Agreement
    differences: tuple[str, ...] = ()
    run: ToolRun | None = None
    slow_ms: float = 0.0


@dataclass(frozen=True)
class Drift:
    """``now``: at the target, after its migrations. ``earlier``: at the base, before them; None where there is
    no base, or nobody had to ask.
    """

    now: Compared
    earlier: Compared | None = None


@dataclass(frozen=True)
class Refused:
    """A row of the tool's own tables because of which it refuses to work, and how that is repaired (plan.Refusal)."""

    table: str
    name: str
    repair: str
    is_lock: bool


@dataclass(frozen=True)
class History:
    """All migrations on an empty database: the ``run``, and what its schema has not like main's with the push.

    ``reason`` says why that was left out.
    """

    run: ToolRun | None = None
    diff: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Cut:
    """The connection cut after a statement of the first run, or ``during`` it, and the tool started again.

    ``path``, ``sql`` and ``started_ms`` are that statement's. ``refusals`` is what the cut has left for the tool to
    stumble over (its locks were released before it was started again), ``invalid`` are INVALID indexes that it has
    left. ``run`` is the next start, None where the tool would have refused, came to no end (``problem`` says so), or
    came to the next cut. ``later``: how many further places come after this one, which were not tried because the
    same stands in their way. ``diff`` is what its schema and bookkeeping have not like the uninterrupted run's (``-``: only there),
    ``rows`` (table, rows there, rows here) are tables that have not as many rows.
    """

    path: str
    sql: str
    started_ms: float
    during: bool = False
    refusals: tuple[Refused, ...] = ()
    invalid: tuple[str, ...] = ()
    run: ToolRun | None = None
    problem: str = ""
    later: int = 0
    diff: str = ""
    rows: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True)
class Rerun:
    """The migrations interrupted at ``cuts``, of ``possible`` places. ``reason`` says why not at all of them."""

    cuts: tuple[Cut, ...] = ()
    possible: int = 0
    reason: str = ""


@dataclass(frozen=True)
class TriedQuery:
    """A query that cannot be prepared, and why. ``name`` is what stands where Postgres stopped: "users", "u.name"."""

    query: Query
    error: DatabaseError
    name: str = ""


@dataclass(frozen=True)
class ChangedType:
    """``name`` is a column that a query returns, or "$1" for a parameter that it takes."""

    name: str
    before: str
    now: str


@dataclass(frozen=True)
class ChangedQuery:
    """A query that can still be prepared. ``missing`` are columns that it returned before (``SELECT *``)."""

    query: Query
    missing: tuple[str, ...] = ()
    types: tuple[ChangedType, ...] = ()


@dataclass(frozen=True)
class TriedInsert:
    """An INSERT that names the ``columns`` of a table that had to be named, and why it fails. ``column`` is the one
    that the error is about. ``existed``: it was there before, and could be null; ``null_fraction`` as in Column, then.
    """

    table: str
    columns: tuple[str, ...]
    error: DatabaseError
    column: str = ""
    existed: bool = False
    null_fraction: float | None = None


@dataclass(frozen=True)
class Deployed:
    """What the deployed code does, tried before the migrations and after them.

    ``tried`` counts the known queries that could be prepared before, ``broken`` are those of them that cannot
    be prepared after, ``changed`` those that take or return something else; ``unprepared`` are some that could not be prepared before either. ``skipped`` counts statements that are none
    that could be. ``files`` and ``production`` count the known queries by where they come from; ``unread`` says why
    production's are missing. ``inserts`` counts the tables that took an INSERT before and were tried after,
    ``refused`` are those of them that refuse it after; of the changed tables in ``untried`` nothing is known.
    """

    files: int = 0
    production: int = 0
    tried: int = 0
    broken: tuple[TriedQuery, ...] = ()
    changed: tuple[ChangedQuery, ...] = ()
    unprepared: tuple[TriedQuery, ...] = ()
    skipped: int = 0
    unread: str = ""
    inserts: int = 0
    refused: tuple[TriedInsert, ...] = ()
    untried: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether somebody has said what the deployed code does."""
        return bool(self.files or self.production or self.unread)


@dataclass(frozen=True)
class UnitFacts:
    """What was done with one unit.

    ``rows_before`` and ``rows_after`` are the bookkeeping's ids, None where a system keeps none.
    ``again`` is the second run; ``again_diff`` what it changed in the schema or the bookkeeping.
    ``status`` is the command of the settings that is asked then, ``down_and_up`` the way back and forth,
    ``drift`` whether models and migrations agree. Where there is something in ``refusals``, nothing was started.
    ``contents`` is what the first run did to rows, ``uncompared`` are tables that it changed unwatched.
    ``history`` is all migrations on an empty database, ``rerun`` what became of interrupted ones; None where there is
    nothing to interrupt. ``deployed`` is what becomes of the deployed code's queries.
    ``unknown_rows`` are ids recorded before the run of which the pushed tree has no file,
    ``pending_on_main`` the ids of the tree that were not applied then (None: not known), ``skipped`` those
    of them that the tool passes over in silence; ``mismatched`` are applied with another checksum.
    ``before`` and ``after`` are the catalogue around the first run, None where it was not read. ``linted``
    is what the linter says of the SQL, ``accepted`` what the migrations' own comments do. ``bookkeeping`` is
    the name of the tool's own table, without schema.
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
    mismatched: frozenset[str] = frozenset()
    proof: Proof = Proof()
    schema_diff: str = ""
    again_diff: str = ""
    status: ToolRun | None = None
    down_and_up: DownAndUp | None = None
    drift: Drift | None = None
    refusals: tuple[Refused, ...] = ()
    history: History | None = None
    rerun: Rerun | None = None
    deployed: Deployed | None = None
    contents: tuple[Contents, ...] = ()
    uncompared: tuple[str, ...] = ()
    before: Catalogue | None = None
    after: Catalogue | None = None
    linted: tuple[Linted, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    bookkeeping: str = ""

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
class Earlier:
    """What became of one unit of a push that went first (changes.Step). ``paths`` are its migrations, ``run`` how they
    ran, with no statement but the one that failed; ``missing`` those that were not recorded afterwards.
    """

    git_ref: str
    system: str
    paths: tuple[str, ...]
    run: ToolRun
    missing: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        return bool(self.run.exit_code or self.missing)


@dataclass(frozen=True)
class OtherPush:
    """Somebody else's migrations for the same parent, which neither this push nor the main line has.

    ``git_ref`` is what ``--with`` takes; ``fetch`` the command that must come first, "" for none. ``paths`` are
    its migrations, none where only the test Neon database branch ``neon_branch`` tells of it.
    """

    git_ref: str
    paths: tuple[str, ...] = ()
    neon_branch: str = ""
    fetch: str = ""


@dataclass(frozen=True)
class Facts:
    """All that is known about one pushed range. ``data``: what the test Neon database branch was a copy of;
    ``limits``: from which measure on something counts; ``server_version`` as server_version_num, 0 unknown.
    ``offline``: only texts were looked at, and nothing was to be tried.
    ``stand_in``: the copy was not Neon's, embedded Postgres stood in for it.
    ``earlier`` are the pushes that went first (``range.after``), up to the one that failed; ``clash`` is why there
    was nothing to try. ``others`` are pushes to try this one with, and ``asking`` how neon-hooks is asked for this one.
    """

    range: Range
    units: tuple[UnitFacts, ...] = ()
    neon_branch: NeonBranch | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    data: str = "full"
    limits: Limits = Limits()
    server_version: int = 0
    offline: bool = False
    stand_in: bool = False
    earlier: tuple[Earlier, ...] = ()
    clash: Clash | None = None
    others: tuple[OtherPush, ...] = ()
    asking: str = ""
