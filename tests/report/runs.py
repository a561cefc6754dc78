"""Runs as the flight recorder would tell them, written by hand: what the reports are tried with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from neon_hooks.changes import Range
from neon_hooks.checks.migration_fails import RULE as FAILS
from neon_hooks.errors import Unavailable
from neon_hooks.facts import (
    Catalogue,
    Column,
    Constraint,
    DatabaseError,
    Dropped,
    Evidence,
    Facts,
    Index,
    LockHeld,
    Lost,
    MigrationRun,
    NeonBranch,
    Statement,
    Table,
    ToolRun,
    Transaction,
    UnitFacts,
)
from neon_hooks.findings import Finding, Severity, found
from neon_hooks.limits import Limits, TableLimits
from neon_hooks.outcome import Outcome
from neon_hooks.plan import Edit, Migration, Proof, Unit, Work

RANGE = Range("b3f1" * 10, "c7a9" * 10, "refs/remotes/origin/main", "refs/heads/faster-orders")
NEON_BRANCH = NeonBranch(
    "br-late-fog-83014256",
    "neon-hooks/faster-orders/c7a9c7a9-51",
    "br-main-1",
    "main",
    "2026-01-01T04:00:00Z",
    deleted=True,
)
TIMINGS = {"checkout and tools": 310.0, "waiting for Neon": 1240.0, "apply": 6890.0, "apply again": 870.0, "total": 9480.0}
ROWS = {"public.orders": (1_204_331, 412_000_000), "public.users": (300_112, 61_000_000), "public.carts": (8_412, 1_900_000)}


def lock(table: str, mode: str, acquired: float, held: float, *, index: str = "", existed: bool = True) -> LockHeld:
    rows, size = ROWS.get(table, (None, None))
    return LockHeld(index or table, mode, held, existed, rows, 16_000 + len(table), table, acquired, size)


def tables() -> Catalogue:
    return Catalogue(
        {
            16_001: Table(
                16_001,
                "public.orders",
                "r",
                1_204_331,
                412_000_000,
                columns=(Column(1, "id", "bigint", True), Column(2, "note", "text", False, null_fraction=0.25)),
                indexes=(Index(16_002, "public.orders_pkey", True, True, True, (1,)),),
                constraints=(Constraint(16_003, "orders_user_fkey", "f", True, (3,), "public.users"),),
                disabled_triggers=("audit",),
            ),
            16_009: Table(16_009, "public.elsewhere", "r", 3, 8192),
        }
    )


def of(
    migrations: Iterable[tuple[str, tuple[Statement, ...]]],
    *,
    findings: tuple[Finding, ...] = (),
    transactions: tuple[Transaction, ...] = (),
    own: tuple[Statement, ...] = (),
    diff: str = "",
    exit_code: int = 0,
    error: Unavailable | None = None,
) -> Outcome:
    """An outcome of one Alembic unit. ``own`` are statements that belong to no migration."""
    told = [(path, tuple(replace(s, path=path) for s in statements)) for path, statements in migrations]
    pushed = tuple(Migration(path.rpartition("/")[2].partition("_")[0], path, "") for path, _ in told)
    every = sorted((*own, *(s for _, statements in told for s in statements)), key=lambda s: s.started_ms)
    runs = tuple(
        MigrationRun(m.id, path, "alembic", True, not any(s.error for s in statements), False, statements)
        for m, (path, statements) in zip(pushed, told)
    )
    first = ToolRun(
        ("alembic", "upgrade", "heads"),
        exit_code,
        6890.0,
        "INFO  [alembic.runtime.migration] Running upgrade",
        tuple(every),
        replaced=("STRIPE_API_KEY",),
        redirected=True,
        connections=1,
        evidence=Evidence.FULL,
        transactions=transactions,
        round_trip_ms=1.25,
    )
    unit = UnitFacts(
        Work(Unit("alembic", "services/shop", "services/shop/migrations", ("alembic.ini",)), (), pushed, (Edit("0001", "a.py", "edited"),)),
        runs,
        first,
        None if exit_code else replace(first, statements=(), transactions=(), ms=870.0),
        frozenset({"0041"}),
        frozenset({m.id for m in pushed}),
        pending_on_main=frozenset(),
        proof=Proof(unseen=frozenset({"x"})),
        schema_diff=diff,
        before=tables(),
        after=tables(),
    )
    limits = Limits(tables={"public.orders": TableLimits(50.0, 200.0)})
    facts = Facts(RANGE, (unit,), NEON_BRANCH, TIMINGS, limits=limits, server_version=180_001)
    return Outcome(facts, findings, error)


ORDERS, USERS = "services/shop/migrations/0042_orders_by_customer.py", "services/shop/migrations/0043_drop_legacy_email.py"
BLOCKED = Finding(
    "blocks-writes",
    Severity.ERROR,
    "writes to orders (1 204 331 rows) are blocked for 4.2 s by 0042_orders_by_customer.py, statement 3: CREATE INDEX",
    'with op.get_context().autocommit_block():\n    op.create_index("orders_customer_idx", "orders", ["customer_id"], postgresql_concurrently=True)',
    ORDERS,
    18,
    "alembic",
    quote="CREATE INDEX orders_customer_idx ON orders (customer_id)",
    evidence={"table": "public.orders", "blocked_ms": 4213.0},
)
CASCADE = Finding(
    "drops-data",
    Severity.WARNING,
    "299 870 values of users.legacy_email are dropped, and the view active_users with them",
    "stop using the column in the code first, deploy that, and drop it in a later push",
    USERS,
    9,
    "alembic",
)
NOTE = Finding("small-table", Severity.NOTE, "carts is small: from about 400 000 rows on this would take 100 ms", "nothing now", ORDERS, 12, "alembic")


def shop() -> Outcome:
    """Two migrations: an index that blocks writes while it is built, and a column that others depend on."""
    first = (
        Statement("SET LOCAL lock_timeout = '5s'", line=11, started_ms=1510.0, ms=0.6, transaction=1, tag="SET", in_block=True),
        Statement(
            "ALTER TABLE carts ADD COLUMN coupon_code varchar(32)",
            line=12,
            started_ms=1512.0,
            ms=2.4,
            transaction=1,
            locks=(lock("public.carts", "AccessExclusiveLock", 1512.4, 4229.0),),
            tag="ALTER TABLE",
            in_block=True,
            lock_timeout_ms=5000.0,
        ),
        Statement(
            "CREATE INDEX orders_customer_idx\n    ON orders (customer_id)\n    WHERE state <> 'done'",
            line=18,
            started_ms=1516.0,
            ms=4211.0,
            transaction=1,
            locks=(
                lock("public.orders", "ShareLock", 1516.3, 4225.0),
                lock("public.orders", "AccessShareLock", 1516.2, 4225.0, index="public.orders_pkey"),
            ),
            scans=("public.orders",),
            tag="CREATE INDEX",
            in_block=True,
            lock_timeout_ms=5000.0,
        ),
        Statement(
            "UPDATE users SET state = 'active' WHERE state IS NULL",
            line=24,
            started_ms=5729.0,
            ms=9.0,
            transaction=1,
            rows=1_204,
            locks=(lock("public.users", "RowExclusiveLock", 5729.2, 12.0),),
            scans=("public.users",),
            tag="UPDATE",
            in_block=True,
            lock_timeout_ms=5000.0,
        ),
    )
    second = (
        Statement(
            "ALTER TABLE users ALTER COLUMN id TYPE bigint",
            line=8,
            started_ms=5760.0,
            ms=1310.0,
            transaction=2,
            locks=(
                lock("public.users", "AccessExclusiveLock", 5760.3, 1342.0),
                lock("public.users", "AccessExclusiveLock", 5760.4, 1342.0, index="public.users_pkey"),
                lock("public.orders", "ShareRowExclusiveLock", 5761.0, 1341.0),
            ),
            rewrites=("public.users",),
            scans=("public.users",),
            tag="ALTER TABLE",
            in_block=True,
            lock_timeout_ms=0.0,
        ),
        Statement(
            "ALTER TABLE users DROP COLUMN legacy_email CASCADE",
            line=9,
            started_ms=7071.0,
            ms=3.1,
            transaction=2,
            dropped=(Dropped("table column", "public.users.legacy_email"), Dropped("view", "public.active_users", cascaded=True)),
            lost=(Lost("public.users", "legacy_email", 299_870),),
            tag="ALTER TABLE",
            in_block=True,
            lock_timeout_ms=0.0,
            warnings=("01000",),
        ),
    )
    own = (
        Statement("SELECT version_num FROM alembic_version", started_ms=1502.0, ms=0.8, transaction=1, rows=1, tag="SELECT"),
        Statement("UPDATE alembic_version SET version_num='0043'", started_ms=7075.0, ms=0.9, transaction=2, rows=1, tag="UPDATE"),
    )
    return of(
        ((ORDERS, first), (USERS, second)),
        findings=(BLOCKED, CASCADE, NOTE),
        transactions=(Transaction(1, 1502.0, 5741.5, True), Transaction(2, 5744.0, 7102.5, True)),
        own=own,
        diff="+column public.carts.coupon_code varchar(32)\n+index public.orders_customer_idx on public.orders (customer_id)\n-column public.users.legacy_email text\n-view public.active_users",
    )


def refused() -> Outcome:
    """A migration that fails on the rows."""
    error = DatabaseError("23505", 'could not create unique index "users_email_key"', "Key (email)=(a@example.com) is duplicated.")
    statement = Statement("ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email)", line=7, started_ms=40.0, ms=212.0, transaction=1, error=error)
    finding = found(FAILS, error.message, path=USERS, line=7, system="alembic", quote=f"{statement.sql}\nDETAIL: {error.detail}")
    return of(((USERS, (statement,)),), findings=(finding,), exit_code=1, transactions=(Transaction(1, 39.0, 255.0, False),))


def many(tables_: int = 40, statements: int = 200) -> Outcome:
    """Many migrations on many tables, with short and long locks of every kind."""
    modes = ("AccessExclusiveLock", "ShareLock", "ShareUpdateExclusiveLock", "RowExclusiveLock", "ShareRowExclusiveLock")
    clock, told, transactions = 100.0, [], []
    each = max(1, statements // 12)
    for number in range(0, statements, each):
        own, began = [], clock
        lengths = [((7 * n) % 11 + 1) * (40.0 if n % 17 == 0 else 3.0) for n in range(number, min(number + each, statements))]
        ended = began + sum(lengths)
        for n, ms in zip(range(number, number + each), lengths):
            table = f"public.table_{n % tables_:02d}" + ("_with_a_rather_long_name_that_somebody_chose" if n % tables_ == 7 else "")
            mode = modes[n % len(modes)]
            own.append(
                Statement(
                    f"ALTER TABLE {table} ADD COLUMN column_{n} integer -- statement {n}",
                    line=n - number + 3,
                    started_ms=clock,
                    ms=ms,
                    transaction=len(told) + 1,
                    locks=(lock(table, mode, clock + 0.1, (ended if n % 5 == 0 else clock + ms) - clock),),
                    rewrites=(table,) if n % 23 == 0 else (),
                    scans=(table,) if n % 9 == 0 else (),
                    rows=n * 1000 if n % 6 == 0 else None,
                    tag="ALTER TABLE",
                )
            )
            clock += ms
        transactions.append(Transaction(len(told) + 1, began, ended, True))
        told.append((f"services/shop/migrations/{len(told):04d}_step_{len(told)}.py", tuple(own)))
        clock += 25.0
    return of(told, transactions=tuple(transactions))


def nothing() -> Outcome:
    """A push without migrations."""
    return Outcome(Facts(RANGE))


def unknown() -> Outcome:
    """Neon could not be asked."""
    result = of(((ORDERS, ()),))
    unit = replace(result.facts.units[0], migrations=(), first=None, again=None, rows_before=None, rows_after=None)
    facts = replace(result.facts, units=(unit,), neon_branch=None, timings={})
    return Outcome(facts, (), Unavailable("NEON_API_KEY is not set", fix="make a key"), "a test Neon database branch remains")


HOSTILE = "</script><script>alert(1)</script>]]>\"'`|&<!--\u202eevil\u202c\x1b[31m\x00%0A::error::\n\r@team #1 \ud800" + "x" * 300


def hostile() -> Outcome:
    """Hostile text wherever a text can stand."""
    error = DatabaseError("23505", HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    statement = Statement(
        HOSTILE,
        line=1,
        started_ms=1.0,
        ms=2.0,
        transaction=1,
        locks=(
            LockHeld(HOSTILE, "AccessExclusiveLock", 5.0, True, 7, 1, HOSTILE, 1.0, 8192),
            LockHeld(HOSTILE, HOSTILE, 5.0, True, 7, 1, HOSTILE, 1.0, 8192),
        ),
        rewrites=(HOSTILE,),
        scans=(HOSTILE,),
        dropped=(Dropped(HOSTILE, HOSTILE, True),),
        lost=(Lost(HOSTILE, HOSTILE, 3, False),),
        error=error,
        tag=HOSTILE,
        params=HOSTILE,
        warnings=(HOSTILE,),
    )
    findings = tuple(Finding(HOSTILE, severity, HOSTILE, HOSTILE, HOSTILE, 3, HOSTILE, HOSTILE, {"x": HOSTILE}) for severity in Severity)
    result = of(((HOSTILE, (statement,)),), findings=findings, transactions=(Transaction(1, 0.0, 9.0, False),), diff=f"+{HOSTILE}\n-{HOSTILE}")
    (unit,) = result.facts.units
    run = replace(unit.first, argv=(HOSTILE,), output=HOSTILE, evidence=Evidence.PARTIAL, unrecorded=HOSTILE) if unit.first else None
    work = replace(unit.work, unit=Unit(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,)))
    facts = replace(
        result.facts,
        range=Range(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
        units=(replace(unit, work=work, first=run),),
        neon_branch=NeonBranch(*(HOSTILE,) * 5),
        timings={HOSTILE: 1.0},
        data=HOSTILE,
    )
    return Outcome(facts, findings, Unavailable(HOSTILE, fix=HOSTILE), HOSTILE)


RUNS = {run.__name__: run for run in (shop, refused, many, nothing, unknown, hostile)}
