"""The questions that several checks ask: pure, so each case is a line of data."""

from __future__ import annotations

import itertools

import pytest

from neon_hooks.checks.blocking import blocks_of, under_lock
from neon_hooks.checks.forecast import forecast
from neon_hooks.checks.idioms import IDIOMS, NAMES, ONE_TRANSACTION_FOR_ALL, OUTSIDE_A_TRANSACTION, Form, advice
from neon_hooks.checks.sql_text import bare, says, tag, target
from neon_hooks.checks.wording import Places, duration, listed, quoted, shown, sized
from neon_hooks.facts import Catalogue, Evidence, LockHeld, Statement, Table, ToolRun, Transaction, UnitFacts
from neon_hooks.limits import Limits, TableLimits
from neon_hooks.lockmodes import CONFLICTS, NOTHING, READS_AND_WRITES, WRITES, Use, blocks, makes_wait
from neon_hooks.plan import Unit, Work
from neon_hooks.registry import ENTRIES

SYSTEMS = [entry.name for entry in ENTRIES]
EXCLUSIVE, SHARE, ROW = "AccessExclusiveLock", "ShareLock", "RowExclusiveLock"


def lock(mode: str, start: float, ms: float, relation: str = "public.orders", **more: object) -> LockHeld:
    return LockHeld(**{"relation": relation, "mode": mode, "held_ms": ms, "existed_before": True, "acquired_ms": start, **more})


def unit(*statements: Statement, evidence: Evidence = Evidence.FULL, ends: float = 100.0, **more: object) -> UnitFacts:
    transactions = tuple(Transaction(n, 0.0, ends, True) for n in {s.transaction for s in statements})
    run = ToolRun(("x",), 0, ends, "", statements, evidence=evidence, transactions=transactions)
    return UnitFacts(**{"work": Work(Unit("sql", "", "migrations", ()), (), ()), "first": run, **more})


def test_a_conflict_of_lock_modes_has_two_sides() -> None:
    for one, other in itertools.product(CONFLICTS, repeat=2):
        assert (one in CONFLICTS[other]) == (other in CONFLICTS[one]), (one, other)


@pytest.mark.parametrize(
    ("mode", "what"),
    [
        ("AccessShareLock", NOTHING),
        ("RowExclusiveLock", NOTHING),
        ("ShareUpdateExclusiveLock", NOTHING),
        ("ShareLock", WRITES),
        ("ShareRowExclusiveLock", WRITES),
        ("ExclusiveLock", WRITES),
        ("AccessExclusiveLock", READS_AND_WRITES),
        ("SIReadLock", NOTHING),
    ],
)
def test_what_a_lock_blocks(mode: str, what: str) -> None:
    assert blocks(mode) == what
    assert [use for use in Use if makes_wait(mode, use)] == [use for use in Use if use in what]


def test_locks_of_one_transaction_on_one_table_are_one_block() -> None:
    first = Statement("a", started_ms=0, ms=10, transaction=1, locks=(lock(SHARE, 2, 90),))
    second = Statement("b", started_ms=40, ms=20, transaction=1, locks=(lock(EXCLUSIVE, 50, 50), lock(ROW, 41, 60)))
    (block,) = blocks_of(unit(first, second))
    assert (block.ms(Use.WRITES), block.ms(Use.READS)) == (98, 50)
    assert block.during(second, Use.WRITES) == 20
    assert block.during(second, Use.READS) == 10
    assert block.holder(second) is not None and block.holder(first) is None
    assert block.exceeds(TableLimits(reads_blocked=49)) and not block.exceeds(TableLimits(50, 98))
    assert block.worst(TableLimits(1000, 100)) is Use.WRITES


def test_separate_transactions_are_not_summed_and_separate_tables_are_separate() -> None:
    one = Statement("a", transaction=1, locks=(lock(SHARE, 0, 5), lock(SHARE, 0, 5, "public.items")))
    two = Statement("b", transaction=2, locks=(lock(SHARE, 10, 7),))
    found = [(b.transaction, b.table, b.ms(Use.WRITES)) for b in blocks_of(unit(one, two))]
    assert found == [(1, "public.orders", 5), (1, "public.items", 5), (2, "public.orders", 7)]


def test_locks_that_nobody_else_could_miss_do_not_count() -> None:
    taken = Statement(
        "a",
        transaction=1,
        locks=(
            lock(EXCLUSIVE, 0, 5, existed_before=False),
            lock(EXCLUSIVE, 0, 5, "public.knex_migrations_lock"),
            lock(EXCLUSIVE, 0, 5, "public.knex_migrations"),
            lock("ShareUpdateExclusiveLock", 0, 5),
        ),
    )
    assert list(blocks_of(unit(taken, bookkeeping="knex_migrations"))) == []
    assert len(list(blocks_of(unit(taken)))) == 2


def test_a_lock_on_an_index_counts_for_its_table_and_rows_come_from_the_catalogue() -> None:
    reindex = Statement("a", transaction=1, locks=(lock(EXCLUSIVE, 0, 5, "public.i", table="public.orders", rows=1),))
    before = Catalogue({1: Table(1, "public.orders", "r", 77, 0)})
    (block,) = blocks_of(unit(reindex, before=before))
    assert (block.table, block.rows) == ("public.orders", 77)


def test_a_rewrite_that_was_too_quick_to_be_seen_locked_its_table_all_the_same() -> None:
    (block,) = blocks_of(unit(Statement("VACUUM FULL", started_ms=3, ms=7, transaction=1, rewrites=("public.orders",))))
    assert block.ms(Use.READS) == 7


def test_without_a_record_nothing_is_concluded_and_a_part_of_it_counts() -> None:
    taken = Statement("a", transaction=1, locks=(lock(EXCLUSIVE, 0, 5),))
    assert list(blocks_of(unit(taken, evidence=Evidence.NONE))) == []
    assert not under_lock(unit(taken, evidence=Evidence.NONE))
    assert len(list(blocks_of(unit(taken, evidence=Evidence.PARTIAL)))) == 1


def test_statements_under_an_earlier_ones_lock() -> None:
    statements = (
        Statement("a", started_ms=0, transaction=1),
        Statement("b", started_ms=1, transaction=1, locks=(lock(SHARE, 1, 5),)),
        Statement("c", started_ms=2, transaction=1),
        Statement("d", started_ms=3, transaction=2),
    )
    assert under_lock(unit(*statements)) == {(1, 2)}


@pytest.mark.parametrize(
    ("rows", "ms", "limit", "said"),
    [
        (200_000, 50, 500, "about 2 million rows (1 to 4 million)"),
        (300_000, 30, 100, "about 1 million rows (500 000 to 2 million)"),
        (10_000, 5, 500, "about 1 million rows (200 000 to 4 million)"),
        (90_000, 450, 500, "about 100 000 rows (90 000 to 200 000)"),  # the present size is known to be below
        (1_000_000, 10, 10_000, "about 1 billion rows (500 million to 2 billion)"),
        (999, 5, 500, "None"),
        (10_000, 0, 500, "None"),
        (10_000, 600, 500, "None"),
    ],
)
def test_the_size_from_which_on_it_hurts_is_said_with_its_uncertainty(rows: int, ms: float, limit: float, said: str) -> None:
    assert str(forecast(rows, ms, limit)) == said


def test_tables_times_and_lists_are_said_plainly() -> None:
    assert shown("public.orders") == "`orders`" and shown("audit.log") == "`audit.log`"
    assert sized("public.orders", 1_204_331) == "`orders` (1 204 331 rows)" and sized("x", None) == "`x`"
    assert [duration(ms) for ms in (0.44, 9.44, 31, 999, 4200, 5000, 125_000, 600_000)] == [
        "0.4 ms", "9.4 ms", "31 ms", "999 ms", "4.2 s", "5 s", "2 min 5 s", "10 min",
    ]  # fmt: skip
    assert [listed(list("abcdefgh"[:n]), 3) for n in (0, 1, 2, 3, 5)] == ["", "a", "a and b", "a, b and c", "a, b, c and 2 more"]


def test_statements_are_named_by_their_file_and_number() -> None:
    statements = (
        Statement("BEGIN", "m/1.sql", 1, started_ms=0),
        Statement("SET x = 1", "m/1.sql", 2, started_ms=1),
        Statement("create unique index concurrently i on t (a)", "m/1.sql", 3, started_ms=2, tag="CREATE INDEX"),
        Statement("alter table t add b int", "m/2.sql", 1, started_ms=3),
        Statement("select 1", started_ms=4),
    )
    places = Places(unit(*statements))
    assert places.name(statements[2]) == "1.sql, statement 2: CREATE INDEX CONCURRENTLY"
    assert places.name(statements[3]) == "2.sql, statement 1: ALTER TABLE"
    assert places.name(statements[4]) == "statement 1: SELECT"
    assert places.details(statements[4])["path"] == "migrations"
    assert places.naming("public.I") is statements[2] and places.naming("b", r"\bALTER\b") is statements[3]
    assert places.naming("nothing") is None and places.found_at(None)["quote"] == ""


def test_a_long_statement_is_shortened() -> None:
    assert quoted(Statement("\n".join(map(str, range(20))))).endswith("11\n... (8 more lines)")
    assert len(quoted(Statement("x" * 1_000_000))) < 300


def test_comments_and_literals_say_nothing_except_where_they_are_executed() -> None:
    assert bare(Statement("-- don't DROP\nselect /* it's */ 'SET UNLOGGED' ,\n a")) == "SELECT , A"
    assert says(Statement("DO $$ begin execute 'SET UNLOGGED'; -- no\n end $$"), "SET UNLOGGED.*END")
    assert not says(Statement("insert into t values ('SET UNLOGGED')"), "SET UNLOGGED")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [("  update t set a = 1", "UPDATE"), ("-- x\nCreate Unique Index i", "CREATE UNIQUE"), ("DO $$ x $$", "DO"), ("", "")],
)
def test_without_a_tag_the_first_words_stand_for_it(sql: str, expected: str) -> None:
    assert tag(Statement(sql)) == expected
    assert tag(Statement(sql, tag="CREATE INDEX")) == "CREATE INDEX"


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ('UPDATE ONLY "Orders" SET a = 1', "public.orders"),
        ("delete from audit.log", "audit.log"),
        ("with x as (select 1) update t set a = 1", "public.t"),
        ("select 1", ""),
    ],
)
def test_the_table_that_is_changed(sql: str, table: str) -> None:
    assert target(Statement(sql)) == table


def test_every_idiom_is_for_a_system_that_there_is_and_can_be_filled_in() -> None:
    for system in {*OUTSIDE_A_TRANSACTION, *ONE_TRANSACTION_FOR_ALL, *NAMES, *(s for form in IDIOMS.values() for s in form)}:
        assert system in SYSTEMS, system
    for form, system in itertools.product(Form, SYSTEMS):
        said = advice(form, system, table="public.orders", index="i", columns=("a", "b"))
        assert said.startswith(form) and "{table}" not in said and "{{" not in said
        assert advice(form, system)


def test_an_idiom_speaks_of_the_projects_own_names() -> None:
    assert advice(Form.CREATE_INDEX, "alembic", table="public.orders", index="i", columns=("a", "b")) == (
        'CREATE INDEX CONCURRENTLY, in a migration of its own; in Alembic: `with op.get_context().autocommit_block():'
        ' op.create_index("i", "orders", ["a", "b"], postgresql_concurrently=True)`'
    )
    assert "add_index \"orders\", [...], algorithm: :concurrently" in advice(Form.CREATE_INDEX, "activerecord", table="orders")
    assert advice(Form.CREATE_INDEX, "goose").endswith("in goose: `-- +goose NO TRANSACTION` at the top of the file")
    assert advice(Form.REWRITE, "goose") == Form.REWRITE
    assert "deployments" in advice(Form.SEPARATE, "kysely")


def test_quotes_do_not_hide_a_tables_own_limits() -> None:
    limits = Limits(tables={"public.Order": TableLimits(1, 2)})
    assert limits.of('public."Order"') == TableLimits(1, 2)
