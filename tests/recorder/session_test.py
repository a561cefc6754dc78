"""A Session without sockets: whatever the bytes, and however they are cut, what goes in comes out.

Random but the same every time: each case has its seed.
"""

from __future__ import annotations

import random
import struct
import time
import tracemalloc
from collections.abc import Iterator, Sequence

import pytest

from neon_hooks.recorder.log import Peer, Recording
from neon_hooks.recorder.session import Session
from neon_hooks.recorder.stream import KEPT
from neon_hooks.recorder.wire import message
from tests.growth import growth
from tests.recorder.raw_test import DONE, FLUSH, SYNC, close, data, execute, parse, q, run, whole

OURS = b"neon_hooks"
READY_I, READY_T, READY_E = (message(b"Z", status) for status in (b"I", b"T", b"E"))
COMPLETE = message(b"C", b"SELECT 1\0")
ROW = message(b"D", b"\0\1" + struct.pack(">I", 3) + b"row")
ERROR = message(b"E", b"SERROR\0VERROR\0C22012\0Mdivision by zero\0\0")
LOGIN = message(b"R", bytes(4)) + message(b"S", b"a\0b\0") + message(b"K", struct.pack(">I", 77) + bytes(32)) + READY_I
NOTICE = message(b"N", b"SNOTICE\0VNOTICE\0C00000\0Mhello\0\0")
MARK = message(b"N", b"SINFO\0VINFO\0CNH001\0Mours\0\0")
COPY_IN = message(b"G", b"\0\0\0")


class Server:
    """Enough of one to answer a Session, ours and the client's alike; ``for_client`` is what is not ours."""

    def __init__(self) -> None:
        self._received = b""
        self._status = b"I"
        self._is_copying = self._is_skipping = self._is_our_sync = False
        self.for_client = b""

    def feed(self, received: bytes) -> bytes:
        self._received += received
        said, used = b"", 0
        for kind, body in whole(self._received):
            used += len(body) + 5
            answer = self._answer(chr(kind), body)
            said += answer
            if OURS not in body and not (chr(kind) == "S" and self._is_our_sync):
                self.for_client += answer.replace(MARK, b"")
            self._is_our_sync = OURS in body and chr(kind) == "C"
        self._received = self._received[used:]
        return said

    def _answer(self, kind: str, body: bytes) -> bytes:
        if self._is_copying:
            self._is_copying = kind not in "cf"
            return COMPLETE + message(b"Z", self._status) if kind == "c" else b""
        if kind == "S":
            self._is_skipping = False
            return message(b"Z", self._status)
        if self._is_skipping or kind in "Hdcf":
            return b""
        if kind == "Q":
            return self._simple(body)
        if kind == "P" and b"1/0" in body:
            self._is_skipping = True
            self._status = b"E" if self._status == b"T" else self._status
            return ERROR
        return {"P": message(b"1"), "B": message(b"2"), "C": message(b"3"), "D": message(b"n"), "E": ROW + NOTICE + COMPLETE}[kind]

    def _simple(self, body: bytes) -> bytes:
        if b"copy" in body:
            self._is_copying = True
            return COPY_IN
        tag = b"UPDATE 1"
        if b"begin" in body:
            self._status, tag = b"T", b"BEGIN"
        elif b"commit" in body:
            self._status, tag = b"I", b"COMMIT"
        return MARK + ROW + message(b"C", tag + b"\0") + message(b"Z", self._status)


def made(**wanted: str) -> Session:
    session = Session(Peer(1, time.time()), Recording(), **({"snapshot": "select 'locks'"} | wanted))  # type: ignore[arg-type]
    assert session.from_server(LOGIN) == LOGIN
    return session


def pieces(sent: bytes, chance: random.Random) -> Iterator[bytes]:
    """``sent`` cut at random places, often between two bytes of a header."""
    while sent:
        size = chance.choice((1, 2, 5, 7, 30, 1000))
        yield sent[:size]
        sent = sent[size:]


STEPS = (
    q("begin"), q("update t set a = 1"), run("select 1") + SYNC, run("select 1/0") + run("select 2") + SYNC, q("commit"),
    q("copy t from stdin") + data("1\n") + DONE, parse("select 1", "s") + FLUSH + SYNC, run("a") + SYNC + run("b") + SYNC,
    execute("p") + close("P", "p") + SYNC, q("x" * 3000), SYNC, q(""), run("c" * 2000) + SYNC,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_the_client_gets_what_is_its_own_however_the_bytes_are_cut(seed: int) -> None:
    chance = random.Random(seed)
    session, server = made(), Server()
    asked = sent = got = b""
    for number in range(40):
        step = STEPS[number] if number < 2 else b"".join(chance.choices(STEPS, k=chance.choice((1, 1, 1, 3))))
        asked += step
        said = b""
        for piece in pieces(step, chance):
            passed = session.from_client(piece)
            sent += passed
            said += server.feed(passed)
            if chance.random() < 0.3:
                got += b"".join(map(session.from_server, pieces(said, chance)))
                said = b""
        got += b"".join(map(session.from_server, pieces(said, chance)))
    assert session.peer.blind == ""
    assert got == server.for_client
    assert without_ours(sent) == asked
    assert session._recording.injections
    assert all(injection.text == "row" and injection.answered for injection in session._recording.injections)


def without_ours(sent: bytes) -> bytes:
    """What a Session sent on, less what it put in: everything with our name, and the Sync after it."""
    kept, is_ours = b"", False
    for kind, body in whole(sent):
        if OURS in body:
            is_ours = True
        elif not (is_ours and kind == ord("S")):
            kept += message(bytes((kind,)), body)
            is_ours = False
        else:
            is_ours = False
    return kept


@pytest.mark.parametrize("step", STEPS)
def test_nothing_is_changed_at_any_cut(step: bytes) -> None:
    """Every place where one round of a conversation can be cut in two, in both directions."""
    answer = Server().feed(step)
    for cut in range(len(step)):
        session = made(snapshot="")
        assert session.from_client(step[:cut]) + session.from_client(step[cut:]) == step
        assert session.from_server(answer[:cut]) + session.from_server(answer[cut:]) == answer.replace(MARK, b"")
        assert session.peer.blind == ""


CONVERSATION = LOGIN + b"".join(map(Server().feed, STEPS)).replace(MARK, b"")


@pytest.mark.parametrize("seed", range(300))
def test_nonsense_passes_unchanged_and_hurts_nothing(seed: int) -> None:
    """Cut off, mutated, random: everything that came has gone on, or waits for its end, byte by byte."""
    chance = random.Random(seed)
    session = Session(Peer(1, 0.0), Recording())
    sides = []
    for feed, stream, sense in (
        (session.from_client, session._client, b"".join(STEPS)), (session.from_server, session._server, CONVERSATION),
    ):  # fmt: skip
        nonsense = bytearray(sense[: chance.randrange(len(sense))])
        for _ in range(chance.choice((0, 1, 5, 100))):
            if nonsense:
                nonsense[chance.randrange(len(nonsense))] = chance.randrange(256)
        if chance.random() < 0.3:
            nonsense += chance.randbytes(500)
        sides.append([feed, stream, bytes(nonsense), list(pieces(bytes(nonsense), chance)), b""])
    while waiting := [side for side in sides if side[3]]:
        side = chance.choice(waiting)
        side[4] += side[0](side[3].pop(0))
    for _, stream, nonsense, _, got in sides:
        assert got + stream.rest() == nonsense
    assert session._recording.troubles == []


@pytest.mark.parametrize("length", [0, 3, 0x3FFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("kind", [b"Q", b"d", b"D", b"Z", b"\0", b"\xff"])
def test_an_impossible_length_takes_no_memory(kind: bytes, length: int) -> None:
    sent = kind + struct.pack(">I", length) + bytes(1000)
    for side in ("from_client", "from_server"):
        session = made()
        assert getattr(session, side)(sent) == sent
        assert session.peer.blind == "a message of an impossible length"
        assert session.from_server(READY_I) == READY_I


@pytest.mark.parametrize("kind", [b"Q", b"P", b"B", b"d"])
def test_a_huge_message_passes_in_pieces(kind: bytes) -> None:
    """200 MB with a megabyte of memory or so."""
    session = made()
    size, part = 200 << 20, b"x" * (1 << 18)
    tracemalloc.start()
    passed = len(session.from_client(kind + struct.pack(">I", size + 4)))
    for _ in range(size // len(part)):
        passed += len(session.from_client(part))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert passed == size + 5
    assert most < 12 * KEPT
    if kind == b"Q":
        (exchange,) = session._recording.exchanges
        assert exchange.cut and len(exchange.sql) < KEPT + 1


def test_a_message_that_comes_byte_by_byte_costs_linear_time() -> None:
    def work(size: int) -> None:
        session, sent = made(), q("x" * size)
        assert b"".join(session.from_client(sent[n : n + 1]) for n in range(len(sent))) == sent

    assert growth(work, KEPT // 10, KEPT - 100) < 40  # quadratic would be 100


def test_what_a_watcher_says_is_taken_out_whole_even_when_it_is_long() -> None:
    session = made()
    session.from_client(q("alter table t add column a int"))
    mark = message(b"N", b"SINFO\0VINFO\0CNH001\0M" + b"x" * (3 << 20) + b"\0\0")
    assert b"".join(map(session.from_server, pieces_of(mark, 1 << 16))) == b""
    assert len(session._recording.marks[0].text) == 3 << 20
    assert session.from_server(COMPLETE + READY_I) == COMPLETE + READY_I


def pieces_of(sent: bytes, size: int) -> Sequence[bytes]:
    return [sent[n : n + size] for n in range(0, len(sent), size)]


def in_a_transaction() -> tuple[Session, Server]:
    session, server = made(), Server()
    for step in (q("begin"), q("update t set a = 1")):
        session.from_server(server.feed(session.from_client(step)))
    return session, server


def test_a_fatal_error_during_our_query_reaches_the_client() -> None:
    session, _ = in_a_transaction()
    assert OURS in session.from_client(q("commit"))
    fatal = message(b"E", b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0")
    assert session.from_server(fatal) == fatal


def test_a_client_that_talks_nonsense_is_still_not_sent_our_answers() -> None:
    session, server = in_a_transaction()
    sent = session.from_client(q("commit") + bytes(6) + b"nonsense")
    assert session.peer.blind and sent.endswith(q("commit") + bytes(6) + b"nonsense")
    before = len(server.for_client)
    said = server.feed(sent.removesuffix(bytes(6) + b"nonsense"))
    got = b"".join(session.from_server(said[n : n + 1]) for n in range(len(said)))
    assert got.replace(MARK, b"") == server.for_client[before:]


def test_replication_and_what_comes_after_it_is_not_followed() -> None:
    session = made()
    session.from_client(q("START_REPLICATION SLOT s LOGICAL 0/0"))
    both = message(b"W", b"\0\0\0")
    assert session.from_server(both) == both
    assert session.peer.blind == "replication is not followed"


def test_a_sync_while_the_server_reads_data_does_not_count_twice() -> None:
    """Sent before the COPY fails, or after it? Nothing is put in until the next answer settles it."""
    for answers in (ERROR + READY_I, ERROR + READY_I + READY_I):
        session = made()
        session.from_client(run("copy t from stdin") + SYNC)
        session.from_server(message(b"1") + message(b"2") + message(b"n") + COPY_IN)
        session.from_client(SYNC)
        assert session.from_server(answers) == answers
        assert session.from_client(run("begin") + SYNC) == run("begin") + SYNC
        session.from_server(message(b"1") + message(b"2") + message(b"n") + message(b"C", b"BEGIN\0") + READY_T)
        assert (session.peer.blind, session._ledger.is_settled) == ("", True)


def test_a_hundred_thousand_statements_fit_into_memory() -> None:
    session, server = made(snapshot=""), Server()
    tracemalloc.start()
    for number in range(100_000):
        session.from_client(q(f"insert into t values ({number % 1000}, '{'x' * 200}')"))
        session.from_server(COMPLETE + READY_I)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(session._recording.exchanges) == 100_000
    assert size < 100 << 20


def test_texts_are_kept_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neon_hooks.recorder.log.ROOM", 10_000)
    session = made()
    for number in range(20):
        session.from_client(q(f"select {number}, '{'x' * 2000}'"))
        session.from_server(COMPLETE + READY_I)
    kept = [(len(exchange.sql), exchange.cut) for exchange in session._recording.exchanges]
    assert kept[0][0] > 2000 and not kept[0][1]
    assert kept[-1] == (1000, True)
