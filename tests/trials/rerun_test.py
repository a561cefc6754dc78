"""Where migrations are interrupted and what the start after that makes of them; the examples of the catalogue."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from neon_hooks.changes import Range
from neon_hooks.checks import CATALOGUE, judge
from neon_hooks.database import tables
from neon_hooks.database.connect import connect
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.facts import Evidence, Facts, MigrationRun, Statement, ToolRun, Transaction, UnitFacts
from neon_hooks.findings import Finding, Severity
from neon_hooks.recorder import Exchange, Recording
from neon_hooks.systems import by_name
from neon_hooks.trials.flight import flight
from neon_hooks.trials.interruption import Moment, Point, chosen, points_of
from neon_hooks.trials.place import Place, look
from neon_hooks.trials.rerun import Interrupted, rerun
from tests.checks.catalogue_test import CUT_OFF, SHOP, one_by_one
from tests.checks.watching import PATH, WORK
from tests.fix_systems import Postgres

RANGE = Range("b" * 40, "t" * 40, "main line")
RUN = MigrationRun(PATH, PATH, "sql", pushed=True, applied=True, applied_before=False)


def send(dsn: Dsn, messages: Sequence[str]) -> ToolRun:
    """A tool that sends one message after the other, and remembers nothing."""
    failed = False
    try:
        with closing(connect(dsn)) as connection:
            for message in messages:
                connection.execute(message.encode())
    except psycopg.Error:
        failed = True
    return ToolRun(("tool",), 3 if failed else 0, 0.0, "", connections=1)


def interrupted(postgres: Postgres, messages: Sequence[str]) -> UnitFacts:
    """Run through once, and then interrupted at every place in a copy of its own."""

    def fresh() -> Dsn:
        return postgres.database(SHOP.read_text().replace(":rows", "500"))

    @contextmanager
    def another() -> Iterator[Dsn]:
        yield fresh()

    place = Place(Path(), fresh(), Deadline.after(120))
    before = look(place, None, tables=True)
    run = flight(place, lambda dsn: send(dsn, messages), before.catalogue, redact=str)
    assert run.exit_code == 0, run
    run = replace(run, statements=tuple(replace(s, path=PATH) for s in run.statements))
    with closing(connect(place.dsn)) as connection:
        after = tables.catalogue(connection)
    facts = UnitFacts(WORK, (RUN,), run, before=before.catalogue, after=after, schema_diff="+x")
    tool = Interrupted(lambda dsn, seconds=0.0: send(dsn, messages), lambda path, dsn, seconds=0.0: send(dsn, messages))
    return rerun(
        by_name("sql"), facts, place, points_of(facts, thorough=False), before=before, finished=look(place, None),
        tool=tool, another=another, most=10,
    )  # fmt: skip


def found(facts: UnitFacts) -> list[Finding]:
    return [each for each in judge(Facts(RANGE, (facts,)), {}) if each.rule in CUT_OFF]


@pytest.mark.parametrize("id", sorted(CUT_OFF))
def test_the_bad_example_of_a_rule_is_found_and_the_good_one_is_not(postgres: Postgres, id: str) -> None:
    bad = interrupted(postgres, one_by_one(CATALOGUE[id].bad))
    assert [finding.rule for finding in found(bad)] == [id]
    good = interrupted(postgres, one_by_one(CATALOGUE[id].good))
    assert good.rerun and len(good.rerun.cuts) == good.rerun.possible > 0 and not good.rerun.reason
    assert found(good) == []


# What is sent, how many interruptions that gives, and what is found.
SENT = {
    "one transaction": (["BEGIN", "CREATE TABLE a ()", "CREATE TABLE b ()", "COMMIT"], 0, []),
    "two transactions": (["BEGIN", "CREATE TABLE a ()", "COMMIT", "BEGIN", "CREATE TABLE b ()", "COMMIT"], 1, ["not-rerunnable"]),
    "one message": (["CREATE TABLE a (); CREATE TABLE b ()"], 0, []),
    "several transactions in one message": (["BEGIN; CREATE TABLE a (); COMMIT; BEGIN; CREATE TABLE b (); COMMIT"], 0, []),
    "questions and settings": (["SET lock_timeout = '5s'", "SELECT 1", "SHOW work_mem", "CREATE TABLE a ()", "SELECT 2"], 0, []),
    "a question that changes rows": (
        ["SELECT setval('orders_id_seq', 900)", "WITH d AS (DELETE FROM orders WHERE id < 5 RETURNING id) SELECT * FROM d",
         "DELETE FROM orders WHERE id < 9"], 2, [],
    ),
    "CREATE TABLE AS": (["CREATE TABLE a AS SELECT 1 AS x", "CREATE TABLE b ()"], 1, ["not-rerunnable"]),
    "what is dropped if it is there": (["DROP TABLE IF EXISTS nothing", "DROP TABLE events"], 0, []),
    "REINDEX": (["REINDEX INDEX CONCURRENTLY orders_placed_at"], 1, ["rerun-differs"]),
    "DROP INDEX": (["DROP INDEX CONCURRENTLY orders_placed_at", "CREATE TABLE IF NOT EXISTS a ()"], 2, ["not-rerunnable"]),
    "a failure after one that is passed": (
        ["CREATE TABLE IF NOT EXISTS a ()", "CREATE TABLE b ()", "CREATE TABLE c ()", "CREATE TABLE d ()"], 2, ["not-rerunnable"],
    ),
    "rows that come twice": (
        ["INSERT INTO events (body) VALUES ('{}')", "CREATE TABLE IF NOT EXISTS a ()"], 1, ["rerun-differs"],
    ),
    "values that change twice": (["UPDATE orders SET priority = priority + 1", "CREATE TABLE a ()"], 1, []),
    "the same once more": (["DELETE FROM orders WHERE id < 5"] * 3, 2, []),
}  # fmt: skip


@pytest.mark.parametrize(("messages", "cuts", "rules"), SENT.values(), ids=SENT)
def test_what_is_cut_off_and_what_is_found(postgres: Postgres, messages: list[str], cuts: int, rules: list[str]) -> None:
    facts = interrupted(postgres, messages)
    assert facts.rerun and len(facts.rerun.cuts) == cuts, facts.rerun
    assert [finding.rule for finding in found(facts)] == rules


def test_the_invalid_index_of_a_reindex_is_named(postgres: Postgres) -> None:
    (finding,) = found(interrupted(postgres, ["REINDEX INDEX CONCURRENTLY orders_placed_at"]))
    assert finding.severity is Severity.ERROR
    assert "the index `orders_placed_at_ccnew` stays INVALID" in finding.message


STATEMENTS = (
    Statement("CREATE TABLE a ()", PATH, transaction=1, tag="CREATE TABLE"),
    Statement("CREATE TABLE b ()", PATH, transaction=2, tag="CREATE TABLE"),
    Statement("insert into log values (1)", transaction=3, tag="INSERT"),
)
TWO = ToolRun(
    ("tool",), 0, 1.0, "", STATEMENTS, transactions=tuple(Transaction(n, 0, 1, True) for n in (1, 2, 3)), evidence=Evidence.FULL
)


def after(run: ToolRun, bookkeeping: str, *, thorough: bool = False, applied: bool = True) -> list[str]:
    facts = UnitFacts(WORK, (replace(RUN, applied=applied),), run, bookkeeping=bookkeeping)
    return [point.statement.sql[13] for point in points_of(facts, thorough=thorough)]


def test_the_last_transaction_counts_where_the_record_is_written_apart_from_it() -> None:
    assert after(TWO, "log") == ["a", "b"]
    assert after(TWO, "") == ["a"]  # nothing is recorded anywhere
    together = replace(TWO, statements=(*STATEMENTS[:2], replace(STATEMENTS[2], transaction=2)))
    assert after(together, "log") == ["a"]
    one = replace(TWO, statements=STATEMENTS[1:])
    assert after(one, "log") == [] and after(one, "log", thorough=True) == ["b"]


def test_nothing_is_cut_off_that_was_not_committed_failed_or_is_not_of_this_push() -> None:
    assert after(replace(TWO, transactions=TWO.transactions[1:]), "log", thorough=True) == ["b"]
    assert after(replace(TWO, exit_code=1), "log") == []
    assert after(TWO, "log", applied=False) == []


def test_of_too_many_places_those_with_other_statements_are_chosen() -> None:
    points = [Point(PATH, Statement(sql), n, n) for n, sql in enumerate("aaabac")]
    assert [(p.statement.sql, p.turn) for p in chosen(points, 3)] == [("a", 0), ("b", 3), ("c", 5)]
    assert chosen(points, 10) == tuple(points)


def exchange(sql: str, after: str = "I", connection: int = 1, simple: bool = True) -> Exchange:
    return Exchange(connection, sql, 1.0, "I", simple=simple, ended=2.0 if after else 0.0, after=after)


@pytest.mark.parametrize(
    ("exchanges", "is_reached"),
    [
        ([exchange("x")], False),  # the first turn
        ([exchange("x"), exchange("x")], True),
        ([exchange("x"), exchange("x", after="")], False),  # no answer yet
        ([exchange("x"), exchange("x", after="T")], False),
        ([exchange("x"), exchange("x", after="T"), exchange("COMMIT", connection=2)], False),
        ([exchange("x"), exchange("x", after="T"), exchange("COMMIT")], True),
        ([exchange("x;x")], True),
        ([exchange("x;x;y")], False),  # the server goes on with y, whoever listens
        ([exchange("x"), exchange("secret x")], False),
    ],
)
def test_the_moment_is_when_a_statements_turn_is_committed(exchanges: list[Exchange], is_reached: bool) -> None:
    numbers = itertools.count()
    moment = Moment(Point(PATH, Statement("x"), 2, 1), 2, str, lambda: next(numbers))
    recording = Recording()
    for each in exchanges:
        recording.exchanges.append(each)
        last = moment(recording)
    assert last is moment.is_reached is is_reached
    assert next(numbers) == 0  # only a point during a statement begins something
