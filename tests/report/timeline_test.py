"""How a run is laid out in time, in words and in letters."""

from __future__ import annotations

import pytest

from neon_hooks.facts import LockHeld, Statement
from neon_hooks.lockmodes import CONFLICTS, blocks
from neon_hooks.report import summary, terminal
from neon_hooks.report.effects import chosen, weighty
from neon_hooks.report.text_chart import text_chart
from neon_hooks.report.timeline import Bar, Lane, Timeline, covered, joined, longest, ticks, timeline
from neon_hooks.report.wording import duration, grouped, one_line, plain, relation, size
from tests.report import runs


def laid_out(*statements: Statement) -> Timeline:
    return timeline(runs.of((("m/1.sql", statements),)).facts.units[0])


def text(name: str, *, verbose: bool = False, unicode: bool = True) -> str:
    return terminal.render(
        runs.RUNS[name](), verbose=verbose, skip="git push --no-verify", on_unavailable="block", unicode=unicode
    )


def test_lock_modes_block_what_the_manual_says() -> None:
    assert {mode: blocks(mode) for mode in CONFLICTS if blocks(mode)} == {
        "ShareLock": "writes",
        "ShareRowExclusiveLock": "writes",
        "ExclusiveLock": "writes",
        "AccessExclusiveLock": "reads and writes",
    }
    assert len(CONFLICTS) == 8 and blocks("SIReadLock") == ""


def test_waits_are_summed_without_counting_a_moment_twice() -> None:
    spans = [(0.0, 10.0), (5.0, 12.0), (20.0, 25.0), (21.0, 22.0)]
    assert (covered(spans), longest(spans)) == (17.0, 12.0)
    assert (covered([]), longest([])) == (0.0, 0.0)


def test_a_table_waits_for_locks_on_its_indexes_and_new_tables_do_not_count() -> None:
    statement = Statement(
        "DROP INDEX i",
        started_ms=5.0,
        ms=1.0,
        locks=(
            runs.lock("public.orders", "AccessExclusiveLock", 5.5, 100.0, index="public.i"),
            runs.lock("public.orders", "ShareLock", 5.0, 200.0),
            runs.lock("public.new", "AccessExclusiveLock", 5.0, 900.0, existed=False),
        ),
    )
    (lane,) = laid_out(statement).lanes
    assert (lane.table, lane.rows, lane.blocks) == ("public.orders", 1_204_331, "reads and writes")
    assert (lane.reads_blocked, lane.writes_blocked) == (100.0, 200.0)
    assert summary.waiting(lane) == "reads of orders wait 100 ms, writes 200 ms"


def test_the_tables_that_hurt_most_come_first() -> None:
    lanes = timeline(runs.shop().facts.units[0]).lanes
    assert [lane.table for lane in lanes] == ["public.carts", "public.orders", "public.users"]


def test_statements_are_numbered_through_the_run_and_through_their_migration() -> None:
    steps = timeline(runs.shop().facts.units[0]).steps
    assert [(step.number, step.place) for step in steps] == [(2, 1), (3, 2), (4, 3), (5, 4), (6, 1), (7, 2)]


def test_one_migration_alone_keeps_what_it_holds_until_its_transaction_ends() -> None:
    line = timeline(runs.shop().facts.units[0])
    inside = line.within(line.sections[0])
    assert {lane.table for lane in inside.lanes} == {"public.carts", "public.orders", "public.users"}
    assert [transaction.number for transaction in inside.transactions] == [1]
    assert inside.end == pytest.approx(5741.5, abs=0.5)


def test_bars_are_joined_where_a_picture_cannot_tell_them_apart() -> None:
    bars = [Bar(n, n + 1.0, "writes", "ShareLock", n) for n in range(0, 1000, 2)]
    (one,) = joined(bars, 1.5)
    assert (one.start, one.end, one.count, one.number, one.mode) == (0.0, 999.0, 500, 0, "ShareLock")
    assert (one.gaps, one.held) == (499.0, 500.0)
    assert joined(bars, 0.5) == bars
    assert len(joined([bars[0], Bar(0.5, 1.0, "", "RowShareLock", 9)], 100.0)) == 2


@pytest.mark.parametrize(
    ("ms", "step"), [(0.05, 0.01), (7.0, 1.0), (900.0, 200.0), (4_213.0, 1_000.0), (100_000.0, 15_000.0), (7_200_000.0, 1_800_000.0)]
)
def test_an_axis_counts_in_round_steps(ms: float, step: float) -> None:
    marks = ticks(ms)
    assert marks[0] == 0.0 and marks[1] == step and marks[-1] <= ms and len(marks) <= 9


def test_an_axis_of_no_time_has_one_mark() -> None:
    assert ticks(0.0) == [0.0]


def test_of_many_statements_those_that_matter_are_shown_in_order() -> None:
    line = timeline(runs.many(40, 200).facts.units[0])
    shown = chosen(line.steps, 30)
    assert len(shown) == 30 and shown == sorted(shown, key=lambda step: step.number)
    assert all(weighty(step.statement) for step in shown)
    assert chosen(line.steps, 500) == list(line.steps)


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0.0, "0 ms"), (0.04, "0 ms"), (0.4, "0.4 ms"), (3.0, "3 ms"), (9.96, "10 ms"), (12.3, "12 ms"), (999.4, "999 ms"), (999.6, "1 s"),
        (4213.0, "4.2 s"), (59_940.0, "59.9 s"), (59_960.0, "1 min"), (125_000.0, "2 min 5 s"), (3_599_600.0, "1 h"), (3_780_000.0, "1 h 3 min"),
    ],
)  # fmt: skip
def test_durations_are_written_for_people(ms: float, said: str) -> None:
    assert duration(ms) == said


def test_numbers_sizes_and_names_are_written_for_people() -> None:
    assert grouped(1_204_331) == "1 204 331"
    assert [size(n) for n in (812, 8192, 1_288_490_189, 1 << 60)] == ["812 bytes", "8 kB", "1.2 GB", "1048576 TB"]
    assert [relation(name) for name in ("public.orders", "billing.orders", "a\nb")] == ["orders", "billing.orders", "a b"]
    assert one_line("SELECT\n   1", 20) == "SELECT 1" and one_line("x" * 50, 10) == "xxxxxxx..."


def test_what_would_not_be_seen_or_would_be_obeyed_is_shown() -> None:
    assert plain("a\x1b[2Jb\u202ec\r\nd\te\u200b\ud800") == "a\\u001b[2Jb\\u202ec\nd\te\\u200b\\ud800"
    assert plain(plain(runs.HOSTILE)) == plain(runs.HOSTILE)
    assert "naïve 表 שלום 🙂" == plain("naïve 表 שלום 🙂")


# the picture in letters


def picture(*, unicode: bool) -> list[str]:
    return text_chart(timeline(runs.shop().facts.units[0]), unicode=unicode, everything=False)


def test_the_picture_has_a_line_for_each_table() -> None:
    _, axis, carts, orders, users = picture(unicode=True)
    assert axis.split() == ["0", "2", "s", "4", "s"]
    assert carts == f"carts  │{'█' * 45}{' ' * 15}│ reads and writes of carts wait 4.2 s"
    assert users == f"users  │{' ' * 45}{'█' * 15}│ reads and writes of users wait 1.3 s"
    assert orders == f"orders │{'▒' * 60}│ writes to orders wait 5.6 s"


def test_the_picture_is_ascii_where_the_terminal_is() -> None:
    assert all(line.isascii() for line in picture(unicode=False))
    assert picture(unicode=False)[2].startswith("carts  |" + "#" * 45)


def test_a_lock_of_a_moment_has_a_letter_of_its_own() -> None:
    lane = Lane("public.a", (Bar(500.0, 500.1, "writes", "ShareLock", 1),))
    line = Timeline(0.0, 1000.0, (), (lane,), (), ())
    assert text_chart(line, unicode=False, everything=False)[2] == f"a |{' ' * 30}w{' ' * 29}| writes to a wait 0.1 ms"


def test_the_picture_is_shown_where_somebody_waits_too_long_and_when_asked() -> None:
    assert "│" in text("shop")
    assert "│" not in text("refused")
    assert "│" not in text("many") and "│" in text("many", verbose=True)
    assert "... and 28 more tables that were blocked for less time" in text("many", verbose=True)


def test_verbose_tells_each_statement() -> None:
    lines = text("shop", verbose=True).splitlines()
    at = lines.index("      3  line 18      4.2 s  CREATE INDEX orders_customer_idx ON orders (customer_id) WHERE state <> 'done'")
    assert lines[at + 1 : at + 4] == [
        "         orders: ShareLock, blocks writes, held 4.2 s",
        "         reads all of orders",
        "      4  line 24       9 ms  UPDATE users SET state = 'active' WHERE state IS NULL (1 204 rows)",
    ]
    assert "         carts: AccessExclusiveLock, blocks reads and writes, held 4.2 s, until its transaction ended" in lines
    for said in ("rewrites users", "drops view active_users (cascade)", "299 870 values of users.legacy_email are gone", "no lock_timeout"):
        assert f"         {said}" in lines
    assert f"{runs.ORDERS} (applied): 4 statements in 1 transaction, 4.2 s; reads and writes of carts wait 4.2 s; writes to orders wait 4.2 s" in lines


def test_a_fix_of_several_lines_keeps_its_shape() -> None:
    lines = text("shop").splitlines()
    at = lines.index("  fix: with op.get_context().autocommit_block():")
    assert lines[at + 1].startswith('           op.create_index("orders_customer_idx"')


def test_hostile_text_cannot_command_the_terminal() -> None:
    said = text("hostile", verbose=True)
    assert plain(said) == said and "\\u001b[31m" in said


def test_a_lock_without_a_time_of_its_own_begins_with_its_statement() -> None:
    lock = LockHeld("public.a", "ShareLock", 5.0, True)
    (lane,) = laid_out(Statement("x", started_ms=70.0, ms=2.0, locks=(lock,))).lanes
    assert (lane.bars[0].start, lane.bars[0].end) == (70.0, 75.0)
