"""The judge itself: candidates whose deeds are known get the verdict that they deserve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.exam import dumps
from tests.exam.candidates import Written
from tests.exam.judge import Judgement, Verdict, judge
from tests.exam.pairs import Pair, corpus
from tests.exam.postgres import Database, Ran, Server

BEFORE = "create table person (id int primary key, name text);"
ROWS = "insert into person values (1, 'Ada'), (2, 'Grace');"
AFTER = "create table person (id int primary key, name text, age int);\ncomment on table person is 'people';"
RIGHT = "alter table person add age int; comment on table person is 'people';"


@dataclass
class Known:
    """Hands back what it was made with."""

    written: Written
    name: str = "known"

    def write(self, pair: Pair, server: Server, main: Database, wanted: Database) -> Written:
        return self.written

    def apply(self, script: str, main: Database) -> Ran:
        return main.psql(script)


def wrote(*scripts: str, said: str = "") -> Written:
    return Written(scripts, 0, said)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as started:
        yield started


def judged(
    server: Server, written: Written, *, after: str = AFTER, options: tuple[str, ...] = ()
) -> Judgement:
    wanted = server.database(after)
    return judge(Pair("pair", BEFORE, ROWS, after, options=options), Known(written), server, wanted)


@pytest.mark.parametrize(
    ("written", "verdict"),
    [
        (wrote(RIGHT), Verdict.IDENTICAL),
        (wrote("alter table person add age int;", "comment on table person is 'people';"), Verdict.IDENTICAL),
        (wrote("alter table person add age int;"), Verdict.DIFFERENT),
        (wrote(), Verdict.DIFFERENT),
        (wrote(RIGHT, "create table more ();"), Verdict.DIFFERENT),
        (wrote("alter table nobody add age int;"), Verdict.FAILS),
        (wrote(RIGHT, "update person set name = 'x' where id = 2;"), Verdict.ROWS),
        (wrote(RIGHT, "delete from person where id = 2;"), Verdict.ROWS),
        (Written((), 1, "cannot be expressed: COMMENT ON TABLE person"), Verdict.REFUSED),
        (Written((), 1, "this cannot be expressed"), Verdict.UNNAMED),
        (Written((), 2, "unknown option"), Verdict.CRASHED),
        (Written((), 1, "Traceback (most recent call last)\n person"), Verdict.CRASHED),
    ],
)
def test_every_deed_has_its_verdict(server: Server, written: Written, verdict: Verdict) -> None:
    assert judged(server, written).verdict == verdict


def test_the_same_schema_needs_no_file(server: Server) -> None:
    assert judged(server, wrote(), after=BEFORE).verdict == Verdict.IDENTICAL
    assert judged(server, wrote("select 1;"), after=BEFORE).verdict == Verdict.NEEDLESS


def test_whoever_writes_once_more_is_found_out(server: Server) -> None:
    wanted = server.database(AFTER)
    judgement = judge(Pair("pair", BEFORE, ROWS, AFTER), Known(wrote(RIGHT)), server, wanted, again=True)
    assert judgement.verdict == Verdict.AGAIN


def test_the_order_of_columns_is_a_case_of_its_own(server: Server) -> None:
    after = "create table person (id int primary key, age int, name text);"
    assert judged(server, wrote("alter table person add age int;"), after=after).verdict == Verdict.ORDER


def test_values_are_not_dropped_without_a_word(server: Server) -> None:
    drop = "alter table person drop name;"
    after = "create table person (id int primary key);"
    assert judged(server, wrote(drop), after=after).verdict == Verdict.UNSAID
    stated = ("--rename", "public.person.name=")
    assert judged(server, wrote(drop, said="2 values of name"), after=after).verdict == Verdict.IDENTICAL
    assert judged(server, wrote("-- 2 values of name go\n" + drop), after=after).verdict == Verdict.IDENTICAL
    assert judged(server, wrote(drop), after=after, options=stated).verdict == Verdict.IDENTICAL


def test_a_rename_that_is_stated_keeps_the_values(server: Server) -> None:
    after = "create table person (id int primary key, label text);"
    options = ("--rename", "public.person.name=public.person.label")
    renamed = wrote("alter table person rename name to label;")
    lost = wrote("alter table person drop name; alter table person add label text;")
    assert judged(server, renamed, after=after, options=options).verdict == Verdict.IDENTICAL
    assert judged(server, lost, after=after, options=options).verdict == Verdict.ROWS


def test_a_difference_is_shown_by_object(server: Server) -> None:
    shown = judged(server, wrote("alter table person add age int;")).detail
    assert shown == "+ COMMENT public.TABLE person\n      COMMENT ON TABLE public.person IS 'people';"


def test_only_what_cannot_matter_is_left_out_of_a_dump(server: Server) -> None:
    """The same objects made in another order, and grants to the same roles in another order."""
    reading, writing = "grant select on a to app_reader;", "grant update on a to app_writer;"
    one = f"create table a (); create table b (); {reading} {writing}"
    other = f"create table b (); create table a (); {writing} {reading}"
    less = f"create table b (); create table a (); {writing}"
    texts = [dumps.read(server.database(sql).dump()) for sql in (one, other, less)]
    assert texts[0].same_as(texts[1])
    assert not texts[0].same_as(texts[2])


def test_the_corpus_is_large_and_says_what_it_shows() -> None:
    pairs = corpus()
    assert len(pairs) >= 200
    assert len([pair for pair in pairs if pair.kind == "applications" and pair.data]) >= 10
