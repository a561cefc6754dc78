"""What a migration does to others, judged: thresholds, severities, and one finding for one cause."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from typing import Any

import pytest

from neon_hooks.changes import Range
from neon_hooks.checks import judge
from neon_hooks.checks.breaking import is_wider
from neon_hooks.facts import (
    Catalogue, Column, Constraint, DatabaseError, Dropped, Evidence, Facts, Index, Lost, Statement, Table, ToolRun,
    UnitFacts,
)  # fmt: skip
from neon_hooks.findings import Finding, Severity
from neon_hooks.limits import Limits, TableLimits
from tests.checks.helpers_test import EXCLUSIVE, SHARE, lock, unit

ORDERS = "public.orders"
FILE = "migrations/0042_add_index.py"
ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
LIMITS = Limits()


def judged(*statements: Statement, limits: Limits = LIMITS, **more: Any) -> list[Finding]:
    return judged_unit(unit(*statements, **{"ends": 10_000.0, **more}), limits)


def judged_unit(facts: UnitFacts, limits: Limits = LIMITS, **severities: str) -> list[Finding]:
    return list(judge(Facts(Range("b" * 40, "t" * 40, "main line"), (facts,), limits=limits), severities))


def said(findings: list[Finding]) -> list[tuple[str, Severity]]:
    return [(finding.rule, finding.severity) for finding in findings]


def statement(sql: str, tag: str, ms: float, start: float = 0.0, transaction: int = 1, **more: Any) -> Statement:
    return Statement(
        sql, FILE, 3, started_ms=start, ms=ms, transaction=transaction, tag=tag, **{"lock_timeout_ms": 5000.0, **more}
    )


def index_build(ms: float, rows: int) -> Statement:
    held = lock(SHARE, 0.0, ms, rows=rows)
    return statement("CREATE INDEX i ON orders (a)", "CREATE INDEX", ms, locks=(held,), scans=(ORDERS,))


def tables(*tables: Table) -> Catalogue:
    return Catalogue({table.oid: table for table in tables})


def test_a_finding_says_who_waits_how_long_because_of_what_and_what_to_do() -> None:
    first = statement("SELECT 1", "SELECT", 1, start=-5, transaction=9)
    (finding,) = judged(first, index_build(4200, 1_204_331))
    assert said([finding]) == [("blocking-index-build", ERROR)]
    assert finding.message == (
        "writes to `orders` (1 204 331 rows) are blocked for 4.2 s by 0042_add_index.py, statement 2: CREATE INDEX,"
        " which builds an index (limit: 500 ms)"
    )
    assert finding.fix.startswith("CREATE INDEX CONCURRENTLY, in a migration of its own; in a plain SQL file")
    assert (finding.path, finding.line, finding.quote) == (FILE, 3, "CREATE INDEX i ON orders (a)")
    assert finding.evidence["writes_blocked_ms"] == 4200 and finding.evidence["modes"] == [SHARE]


@pytest.mark.parametrize(
    ("ms", "rows", "severity"),
    [
        (501, 10, ERROR),  # measured is measured
        (499, 100_000, WARNING),
        (50, 99_999, NOTE),
        (50, 1000, NOTE),
        (50, 999, None),
        (0.3, 10, None),
    ],
)
def test_what_was_measured_decides_and_then_the_size(ms: float, rows: int, severity: Severity | None) -> None:
    assert [finding.severity for finding in judged(index_build(ms, rows))] == ([severity] if severity else [])


def test_a_severity_of_the_settings_does_not_make_a_note_about_a_small_table_an_error() -> None:
    for word, findings in (("error", [("blocking-index-build", NOTE)]), ("off", [])):
        facts = unit(index_build(50, 20_000), ends=10_000.0)
        assert said(judged_unit(facts, **{"blocking-index-build": word})) == findings


def test_a_note_names_the_size_from_which_on_it_would_hurt() -> None:
    (finding,) = judged(index_build(50, 20_000))
    assert finding.message.endswith(
        "; from about 200 000 rows (100 000 to 400 000) on it would be over the limit of 500 ms"
    )


def test_a_table_can_have_limits_of_its_own() -> None:
    strict = Limits(tables={ORDERS: TableLimits(1, 10)})
    assert said(judged(index_build(20, 50), limits=strict)) == [("blocking-index-build", ERROR)]


def test_blocked_time_is_summed_over_a_transaction_and_the_lock_that_began_it_is_named() -> None:
    taker = statement("LOCK TABLE orders", "LOCK TABLE", 1, locks=(lock(EXCLUSIVE, 0, 300, rows=50),))
    work = [statement("SELECT f()", "SELECT", 80, start=10 + 90 * n) for n in range(3)]
    (finding,) = judged(taker, *work, ends=300.0)
    assert said([finding]) == [("reads-blocked", ERROR)]
    assert "reads of and writes to `orders` (50 rows) are blocked for 300 ms" in finding.message
    assert "80 ms of it passed in 0042_add_index.py, statement 2: SELECT" in finding.message


def test_a_transaction_that_stays_open_for_nothing_is_told_so() -> None:
    taker = statement("LOCK TABLE orders", "LOCK TABLE", 1, locks=(lock(SHARE, 0, 900, rows=50),))
    (finding,) = judged(taker, ends=900.0)
    assert said([finding]) == [("writes-blocked", ERROR)]
    assert finding.message.endswith("its transaction stayed open for that long")


def test_a_cause_does_not_excuse_the_rest_of_its_transaction() -> None:
    build = replace(index_build(600, 50), locks=(lock(SHARE, 0, 5000, rows=50),))
    idle = statement("SELECT f()", "SELECT", 4000, start=700)
    assert said(judged(build, idle, ends=5000.0)) == [("blocking-index-build", ERROR), ("writes-blocked", ERROR)]


def test_data_that_is_changed_under_a_lock_is_one_finding_not_three() -> None:
    alter = statement("ALTER TABLE orders ADD a int", "ALTER TABLE", 2, locks=(lock(EXCLUSIVE, 0, 4000, rows=200_000),))
    fill = statement("UPDATE orders SET a = 1", "UPDATE", 3900, start=50, rows=200_000, scans=(ORDERS,))
    (finding,) = judged(alter, fill, ends=4000.0)
    assert said([finding]) == [("ddl-lock-during-backfill", ERROR)]
    assert "statement 2: UPDATE, under the lock of statement 1: ALTER TABLE" in finding.message


def test_the_same_update_alone_is_one_that_needs_batches() -> None:
    fill = statement("UPDATE orders SET a = 1", "UPDATE", 3900, rows=200_000)
    (finding,) = judged(fill)
    assert said([finding]) == [("unbatched-update", ERROR)]
    assert "changes 200 000 rows of `orders` at once, in 3.9 s (limit: 50 000 rows)" in finding.message
    assert judged(replace(fill, rows=50_000)) == []
    assert judged(fill, after=tables(Table(1, ORDERS, "r", 1, 1)), before=tables()) == []  # made by the migration


def test_a_scan_before_the_lock_is_nobodys_harm() -> None:
    copy = statement("CREATE TABLE x AS TABLE orders", "CREATE TABLE", 900, scans=(ORDERS,))
    alter = statement("ALTER TABLE orders ADD a int", "ALTER TABLE", 2, start=1000, locks=(lock(EXCLUSIVE, 1000, 2, rows=500_000),))
    assert judged(copy, alter, ends=1002.0) == []


def test_a_foreign_key_blocks_two_tables_and_is_told_once() -> None:
    locks = (lock("ShareRowExclusiveLock", 0, 900, rows=200_000), lock("ShareRowExclusiveLock", 0, 900, "public.customers", rows=5))
    add = statement("ALTER TABLE orders ADD FOREIGN KEY ...", "ALTER TABLE", 900, locks=locks, scans=(ORDERS, "public.customers"))
    (finding,) = judged(add, ends=900.0)
    assert said([finding]) == [("constraint-validated-under-lock", ERROR)]
    assert "writes to `orders` (200 000 rows) and `customers` (5 rows) are blocked" in finding.message


def test_what_failed_is_not_told_twice() -> None:
    add = statement("ALTER TABLE orders ADD UNIQUE (a)", "ALTER TABLE", 900, locks=(lock("AccessExclusiveLock", 0, 900),))
    assert said(judged(add, ends=900.0)) == [("reads-blocked", ERROR)]
    assert judged(replace(add, error=DatabaseError("23505", "duplicates")), ends=900.0) == []


def test_less_than_all_evidence_is_said_once_and_what_was_measured_counts() -> None:
    findings = judged(index_build(4200, 1_000_000), evidence=Evidence.PARTIAL)
    assert said(findings) == [("blocking-index-build", ERROR), ("evidence-partial", NOTE)]
    run = ToolRun(("x",), 0, 1, "", unrecorded="the driver speaks HTTP")
    (finding,) = judged_unit(replace(unit(), first=run))
    assert finding.message == "not everything was recorded: the driver speaks HTTP"
    assert judged_unit(replace(unit(), first=replace(run, unrecorded=""))) == []


@pytest.mark.parametrize(
    ("timeout", "rows", "expected"),
    [
        (None, 500_000, []),
        (0.0, 500_000, [("lock-timeout-missing", WARNING)]),
        (0.0, 5000, [("lock-timeout-missing", NOTE)]),
        (0.0, 10, []),
        (10_000.0, 500_000, []),
        (10_001.0, 500_000, [("lock-timeout-too-long", WARNING)]),
    ],
)
def test_a_lock_is_waited_for_only_so_long(timeout: float | None, rows: int, expected: list[Any]) -> None:
    held = (lock(EXCLUSIVE, 0, 1, rows=rows), lock(EXCLUSIVE, 0, 1, "public.items", rows=rows))
    alter = statement("ALTER TABLE orders ADD a int", "ALTER TABLE", 1, locks=held, lock_timeout_ms=timeout)
    findings = judged(alter, ends=1.0)
    assert said(findings) == expected
    assert all("`orders`" in finding.message and "`items`" in finding.message for finding in findings)


@pytest.mark.parametrize(("timeout", "count"), [(0.0, 0), (5000.0, 1), (60_000.0, 0), (None, 0)])
def test_concurrently_needs_patience(timeout: float | None, count: int) -> None:
    build = statement("CREATE INDEX CONCURRENTLY i ON orders (a)", "CREATE INDEX", 1, lock_timeout_ms=timeout)
    assert said(judged(build)) == [("lock-timeout-with-concurrently", WARNING)] * count


def test_several_tables_are_several_only_when_several_statements_lock_them() -> None:
    one = statement("ALTER TABLE a", "ALTER TABLE", 1, locks=(lock(EXCLUSIVE, 0, 9, rows=200_000),))
    two = statement("ALTER TABLE b", "ALTER TABLE", 1, start=2, locks=(lock(EXCLUSIVE, 2, 7, "public.b", rows=200_000),))
    assert said(judged(one, two, ends=9.0)) == [("several-tables-locked", WARNING)]
    small = replace(two, locks=(lock(EXCLUSIVE, 2, 7, "public.b", rows=2000),))
    assert said(judged(one, small, ends=9.0)) == [("several-tables-locked", NOTE)]
    assert judged(one, replace(two, transaction=2), ends=9.0) == []
    assert judged(replace(one, locks=one.locks + two.locks), ends=9.0) == []


def test_what_is_dropped_is_counted_and_the_tools_own_table_is_its_own_affair() -> None:
    drop = statement("ALTER TABLE users DROP email", "ALTER TABLE", 1, lost=(Lost("public.users", "email", 1_204_331),))
    (finding,) = judged(drop)
    assert said([finding]) == [("data-dropped", ERROR)]
    assert "takes away 1 204 331 values of `users.email`" in finding.message
    assert judged(replace(drop, lost=(Lost("public.users", "email", 0),))) == []
    assert "about 1 value" in judged(replace(drop, lost=(Lost("public.users", "email", 1, exact=False),)))[0].message
    truncate = statement("TRUNCATE schema_migrations", "TRUNCATE TABLE", 1, lost=(Lost("public.schema_migrations", "", 1),))
    assert judged(truncate, bookkeeping="schema_migrations") == []
    delete = statement("DELETE FROM users", "DELETE", 1, rows=5, lost=(Lost("public.users", "", 5),))
    assert judged(delete) == []


def test_only_what_is_not_the_objects_own_cascades() -> None:
    dropped = (
        Dropped("table", "public.a"),
        Dropped("type", "public.a", cascaded=True),
        Dropped("index", "public.a_pkey", cascaded=True),
        Dropped("table constraint", "a_pkey on public.a", cascaded=True),
        Dropped("trigger", '"RI_ConstraintTrigger_c_1" on public.b', cascaded=True),
    )
    drop = statement("DROP TABLE a CASCADE", "DROP TABLE", 1, dropped=dropped)
    assert judged(drop) == []
    more = (Dropped("view", "public.v", cascaded=True), Dropped("table constraint", "b_fk on public.b", cascaded=True))
    (finding,) = judged(replace(drop, dropped=dropped + more))
    assert said([finding]) == [("cascaded-drop", WARNING)]
    assert "also drops view `v` and table constraint `b_fk on public.b`" in finding.message


def test_concurrently_in_a_transaction_is_explained_once() -> None:
    error = DatabaseError("25001", "CREATE INDEX CONCURRENTLY cannot run inside a transaction block")
    build = statement("create index concurrently i on t (a)", "", 1, error=error)
    facts = unit(build)
    assert facts.first is not None
    (finding,) = judged_unit(replace(facts, first=replace(facts.first, exit_code=1)))
    assert said([finding]) == [("concurrently-in-transaction", ERROR)]
    vacuum = replace(build, sql="vacuum t")
    (finding,) = judged_unit(replace(facts, first=replace(facts.first, exit_code=1, statements=(vacuum,))))
    assert finding.rule == "migration-fails"


@pytest.mark.parametrize(
    ("old", "new", "wider"),
    [
        ("integer", "integer", True),
        ("integer", "bigint", True),
        ("bigint", "integer", False),
        ("character varying(50)", "character varying(80)", True),
        ("character varying(50)", "character varying", True),
        ("character varying(50)", "text", True),
        ("character varying(50)", "character varying(40)", False),
        ("text", "character varying(40)", False),
        ("text", "character varying", True),
        ("numeric(10,2)", "numeric(12,2)", True),
        ("numeric(10,2)", "numeric(12,5)", False),
        ("numeric(10,2)", "numeric(13,5)", True),
        ("numeric(10,2)", "numeric", True),
        ("numeric", "numeric(10,2)", False),
        ("timestamp without time zone", "timestamp with time zone", False),
        ("integer", "text", False),
        ("timestamp(3) with time zone", "timestamp(6) with time zone", False),
    ],
)
def test_which_types_hold_all_that_the_old_one_did(old: str, new: str, wider: bool) -> None:
    assert is_wider(old, new) is wider


def column(number: int, name: str, type: str = "integer", **more: Any) -> Column:
    return Column(number, name, type, **{"not_null": False, **more})


A = Table(1, ORDERS, "r", 10, 1, columns=(column(1, "id"), column(2, "a")))


@pytest.mark.parametrize(
    ("after", "rules"),
    [
        ((A,), []),
        ((replace(A, name="public.x"),), ["breaking-rename"]),
        ((replace(A, name="public.x"), Table(2, ORDERS, "v", None, 0)), []),  # a view has the old name
        ((), ["breaking-drop"]),
        ((replace(A, oid=3),), []),  # made anew
        ((replace(A, columns=(column(1, "id"), column(2, "b"))),), ["breaking-rename"]),
        ((replace(A, columns=(column(1, "id"), column(2, "b"), column(3, "a"))),), []),
        ((replace(A, columns=(column(1, "id"),)),), ["breaking-drop"]),
        ((replace(A, columns=(column(1, "id"), column(2, "a", "text"))),), ["breaking-type-change"]),
        ((replace(A, columns=(*A.columns, column(3, "c", not_null=True))),), ["breaking-required-column"]),
        ((replace(A, columns=(*A.columns, column(3, "c", not_null=True, default="0"))),), []),
        ((replace(A, columns=(*A.columns, column(3, "c", not_null=True, default="identity"))),), []),
        ((replace(A, columns=(column(1, "id"), column(2, "a", not_null=True))),), []),
    ],
)
def test_names_and_types_that_running_code_misses(after: tuple[Table, ...], rules: list[str]) -> None:
    assert [finding.rule for finding in judged(before=tables(A), after=tables(*after))] == rules


def key(**more: Any) -> Constraint:
    return Constraint(**{
        "oid": 9, "name": "fk", "kind": "f", "validated": True, "columns": (2,), "references": "public.c",
        "definition": "FOREIGN KEY (a) REFERENCES c(id)", **more,
    })  # fmt: skip


INDEX = Index(5, "public.i", True, False, False, (2, 1))
C = Table(7, "public.c", "r", 5, 1, columns=(column(1, "id"),))


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (replace(A, constraints=(key(),)), [("foreign-key-without-index", NOTE)]),
        (replace(A, rows=200_000, constraints=(key(),)), [("foreign-key-without-index", WARNING)]),
        (replace(A, constraints=(key(),), indexes=(INDEX,)), []),
        (replace(A, constraints=(key(),), indexes=(replace(INDEX, columns=(1, 2)),)), [("foreign-key-without-index", NOTE)]),
        (replace(A, constraints=(key(),), indexes=(replace(INDEX, partial=True),)), [("foreign-key-without-index", NOTE)]),
        (replace(A, constraints=(key(validated=False),), indexes=(INDEX,)), [("unvalidated-constraint", WARNING)]),
        (replace(A, constraints=(key(validated=False, definition="... NOT ENFORCED"),), indexes=(INDEX,)), []),
        (
            replace(A, columns=(column(1, "id"), column(2, "a", "bigint")), constraints=(key(),), indexes=(INDEX,)),
            [("foreign-key-type-mismatch", WARNING)],
        ),
        (replace(A, indexes=(replace(INDEX, valid=False),)), [("invalid-index", ERROR)]),
        (replace(A, kind="p", indexes=(replace(INDEX, valid=False),)), [("invalid-index", WARNING)]),
        (replace(A, published=True, replica_identity="n"), [("replica-identity-missing", ERROR)]),
        (replace(A, published=True, replica_identity="f"), []),
        (replace(A, published=True, indexes=(replace(INDEX, primary=True),)), []),
        (replace(A, disabled_triggers=("t",)), [("triggers-disabled", WARNING)]),
        (
            replace(
                A, rows=500_000, columns=(*A.columns, column(3, "n", default="nextval('s')")),
                indexes=(replace(INDEX, columns=(3,), primary=True),),
            ),
            [("short-integer-key", WARNING)],
        ),
        (replace(A, columns=(*A.columns, column(3, "j", "json"))), [("json-column", NOTE)]),
    ],
)  # fmt: skip
def test_what_is_left_on_a_table(table: Table, expected: list[Any]) -> None:
    before = tables(replace(A, columns=(column(1, "id"), column(2, "a", table.columns[1].type)), rows=table.rows), C)
    assert said(judged(before=before, after=tables(table, C))) == expected


CHECK = key(name="given", kind="c", references="", definition='CHECK ((a IS NOT NULL))')
UNIQUE = key(name="once", kind="u", references="", definition="UNIQUE (a)")
SHORT, LONG = replace(INDEX, oid=6, columns=(2,), keys=("2 1978",)), replace(INDEX, oid=5, keys=("2 1978", "1 1978"))
GUARDED = replace(A, row_security=True, policies=("own", "all"), privileges=(("app", "SELECT"),))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (replace(A, constraints=(UNIQUE,)), A, [("constraint-dropped", WARNING)]),
        (replace(A, constraints=(UNIQUE,)), replace(A, indexes=(replace(INDEX, unique=True, columns=(2,)),)), []),
        (replace(A, constraints=(UNIQUE,)), replace(A, constraints=(replace(UNIQUE, oid=10, name="other"),)), []),
        (replace(A, constraints=(UNIQUE,)), replace(A, constraints=(replace(UNIQUE, name="renamed"),)), []),
        (replace(A, constraints=(CHECK,)), A, [("constraint-dropped", WARNING)]),
        (
            replace(A, constraints=(CHECK,)),
            replace(A, columns=(column(1, "id"), replace(column(2, "a"), not_null=True))),
            [],
        ),
        (
            replace(A, columns=(column(1, "id"), replace(column(2, "a"), not_null=True))), A,
            [("not-null-dropped", NOTE)],
        ),
        (GUARDED, replace(GUARDED, row_security=False), [("row-security-weakened", WARNING)]),
        (GUARDED, replace(GUARDED, policies=("all",)), [("row-security-weakened", WARNING)]),
        (GUARDED, replace(GUARDED, policies=("own", "all", "more")), []),
        (A, replace(A, row_security=True), []),
        (GUARDED, replace(GUARDED, privileges=()), [("privilege-revoked", WARNING)]),
        (GUARDED, replace(GUARDED, privileges=(("app", "INSERT"), ("app", "SELECT"))), []),
        (
            GUARDED, replace(GUARDED, privileges=(("PUBLIC", "SELECT"), ("app", "SELECT"))),
            [("granted-to-public", WARNING)],
        ),
        (replace(A, indexes=(LONG,)), replace(A, indexes=(LONG, SHORT)), [("redundant-index", NOTE)]),
        (replace(A, indexes=(SHORT,)), replace(A, indexes=(LONG, SHORT)), [("redundant-index", NOTE)]),
        (replace(A, indexes=(LONG, SHORT)), replace(A, indexes=(LONG, SHORT)), []),
        (replace(A, indexes=(LONG,)), replace(A, indexes=(LONG, replace(SHORT, unique=True))), []),
        (replace(A, indexes=(LONG,)), replace(A, indexes=(LONG, replace(SHORT, partial=True))), []),
        (replace(A, indexes=(LONG,)), replace(A, indexes=(LONG, replace(SHORT, keys=("2 1994",)))), []),
        (replace(A, indexes=(LONG,)), replace(A, indexes=(LONG, replace(SHORT, keys=()))), []),
    ],
)  # fmt: skip
def test_what_a_table_no_longer_has(before: Table, after: Table, expected: list[Any]) -> None:
    assert said(judged(before=tables(before, C), after=tables(after, C))) == expected


def test_a_constraint_that_goes_with_what_it_was_about_is_not_missed() -> None:
    old = replace(A, constraints=(key(),))
    assert judged(before=tables(old), after=tables(replace(A, columns=A.columns))) == []  # what it referred to is gone
    gone = judged(before=tables(old, C), after=tables(replace(A, columns=A.columns[:1]), C))
    assert "constraint-dropped" not in [finding.rule for finding in gone]


def test_what_was_there_before_is_not_the_pushs_fault() -> None:
    old = replace(
        A, constraints=(key(validated=False),), indexes=(replace(INDEX, valid=False),), disabled_triggers=("t",), published=True,
    )  # fmt: skip
    assert judged(before=tables(old, C), after=tables(old, C)) == []
    hidden = statement("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON orders (a)", "CREATE INDEX", 1, lock_timeout_ms=0.0)
    assert said(judged(hidden, before=tables(old, C), after=tables(old, C))) == [("invalid-index", ERROR)]


@pytest.mark.parametrize(
    ("sql", "warning", "message"),
    [
        ("BEGIN", "25001", "BEGIN inside a transaction"),
        ("COMMIT", "25P01", "COMMIT outside a transaction"),
        ("SET LOCAL lock_timeout = '1s'", "25P01", "SET LOCAL outside a transaction"),
        ("ROLLBACK", "25P01", ""),
        ("ALTER TABLE t ADD a int", "01000", ""),
    ],
)
def test_transactions_in_transactions(sql: str, warning: str, message: str) -> None:
    twice = [statement(sql, "", 1, start=n, warnings=(warning,)) for n in range(2)]
    assert [finding.message.partition(" (")[0] for finding in judged(*twice)] == ([message] if message else [])


@pytest.mark.parametrize(("sql", "count"), [("ALTER TABLE t SET UNLOGGED", 1), ("INSERT INTO t VALUES ('SET UNLOGGED')", 0)])
def test_unlogged_tables(sql: str, count: int) -> None:
    assert said(judged(statement(sql, "", 1))) == [("unlogged-table", WARNING)] * count


def test_thousands_of_statements_in_one_transaction_are_judged_in_linear_time() -> None:
    """Counted in calls and not in seconds: the machine may be busy."""

    def calls(count: int) -> int:
        statements = [
            statement(
                f"ALTER TABLE t{n} ADD a int", "ALTER TABLE", 1, start=2.0 * n, scans=(f"public.t{n}",),
                locks=(lock(EXCLUSIVE, 2.0 * n, 2.0 * (count - n), f"public.t{n}", rows=5000),),
            )
            for n in range(count)
        ]  # fmt: skip
        before = tables(*(replace(A, oid=n, name=f"public.t{n}") for n in range(count)))
        after = tables(*(replace(A, oid=n, name=f"public.t{n}", constraints=(key(),)) for n in range(count)))
        facts = Facts(Range("b" * 40, "t" * 40, "main line"), (unit(*statements, ends=2.0 * count, before=before, after=after),))
        made = itertools.count()
        sys.setprofile(lambda frame, event, argument: next(made) and None)
        try:
            judge(facts, {})
        finally:
            sys.setprofile(None)
        return next(made)

    assert calls(400) < 2.2 * calls(200)
