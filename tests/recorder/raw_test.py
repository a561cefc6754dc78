"""What no driver sends, or seldom: the protocol by hand, against a real server, with and without the recorder.

Each case is a list of rounds; what is sent in a round is answered before the next one begins. The answers have
to be the same to the byte, and the recorder has to keep its sight.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest

from neon_hooks.dsn import Dsn
from neon_hooks.recorder import Recorder
from neon_hooks.recorder.scram import MECHANISM, Scram
from neon_hooks.recorder.wire import message
from tests.fix_systems import Postgres
from tests.recorder.clients_test import LOCKS, count
from tests.recorder.tap import messages

SILENCE = 0.05  # seconds
SYNC, FLUSH, DONE = message(b"S"), message(b"H"), message(b"c")


def q(sql: str) -> bytes:
    return message(b"Q", sql.encode() + b"\0")


def parse(sql: str, name: str = "") -> bytes:
    return message(b"P", f"{name}\0{sql}\0".encode() + b"\0\0")


def bind(portal: str = "", name: str = "") -> bytes:
    return message(b"B", f"{portal}\0{name}\0".encode() + b"\0\0" * 3)


def execute(portal: str = "", rows: int = 0) -> bytes:
    return message(b"E", portal.encode() + b"\0" + struct.pack(">I", rows))


def describe(what: str = "P", name: str = "") -> bytes:
    return message(b"D", f"{what}{name}\0".encode())


def close(what: str, name: str = "") -> bytes:
    return message(b"C", f"{what}{name}\0".encode())


def run(sql: str) -> bytes:
    return parse(sql) + bind() + describe() + execute()


def data(text: str) -> bytes:
    return message(b"d", text.encode())


CALL = message(b"F", struct.pack(">IHHH", 89, 0, 0, 0))
SET_UP = (q("create table t (id int)"), q("create view w as select 1 as id"))
BUSY = (q("begin"), q("insert into t values (1)"))  # from here on every message may have a look before it
CASES: dict[str, Sequence[bytes]] = {
    "flush and no sync": (*BUSY, parse("select id from t") + describe("S") + FLUSH, bind() + execute() + FLUSH, SYNC),
    "flush between the parts of an autocommit": (parse("select 1") + FLUSH, bind() + FLUSH, execute("", 0) + SYNC),
    "a portal in parts": (
        parse("select generate_series(1, 5)") + bind("p") + execute("p", 2) + FLUSH, execute("p", 2) + FLUSH,
        execute("p", 2) + close("P", "p") + SYNC,
    ),
    "a portal in parts inside of a transaction": (
        *BUSY, parse("select generate_series(1, 5)", "s") + bind("p", "s") + execute("p", 2) + SYNC,
        execute("p", 2) + SYNC, q("update t set id = 2"), execute("p", 2) + SYNC, close("P", "p") + close("S", "s") + SYNC,
    ),
    "errors in parse, bind, describe": (
        run("nonsense") + SYNC, parse("select 1", "s") + SYNC, bind("", "missing") + execute() + SYNC,
        describe("S", "missing") + SYNC, describe("P", "missing") + run("select 1") + SYNC, run("select 2") + SYNC,
    ),
    "a pipeline with several errors": (
        run("select 1") + run("select 1/0") + run("select 'skipped'") + SYNC + run("select 2") + SYNC + run("nonsense")
        + q("select 'skipped too'") + SYNC + run("select 3") + SYNC, run("select 4") + SYNC,
    ),
    "an error, and the sync in another round": (run("select 1/0") + FLUSH, run("select 'skipped'") + SYNC, run("select 5") + SYNC),
    "a sync that fails": (
        q("create table d (id int primary key deferrable initially deferred)"),
        run("insert into d values (1), (1)") + SYNC + run("select 6") + SYNC, run("select 7") + SYNC,
    ),
    "function calls": (CALL, *BUSY, CALL, q("commit"), run("select 1") + SYNC),
    "empty queries": (q(""), q(" ; "), run("") + SYNC, *BUSY, run("") + SYNC, q("commit")),
    "several simple queries at once": (q("select 1") + q("select 1/0") + q("select 2"), q("begin") + q("update t set id = 3") + q("commit")),
    "a query that ends an extended one": (parse("select 1") + bind() + execute() + q("select 2"), q("select 3")),
    "a copy in the middle of several statements": (
        q("begin; insert into t values (1); copy t from stdin; select 'then'; copy t from stdin; commit"),
        data("1\n2\n") + DONE, data("3\n") + DONE, q("copy t to stdout"),
    ),
    "a copy that is sent without waiting": (*BUSY, q("copy t from stdin") + data("7\n") + DONE + q("select 8"), q("commit")),
    "a copy of the extended protocol": (*BUSY, run("copy t from stdin") + SYNC, data("9\n") + DONE + SYNC, run("commit") + SYNC),
    "a copy of the extended protocol that fails": (
        run("copy t from stdin") + SYNC, data("x\n") + DONE + SYNC, run("select 1") + SYNC, run("select 2") + SYNC,
    ),
    "a copy of the extended protocol without a sync": (run("copy t from stdin") + FLUSH, data("1\n") + DONE + SYNC, q("select 1")),
    "a copy that fails before it reads": (q("copy w from stdin"), run("select 1") + SYNC),
    "a copy given up": (*BUSY, q("copy t from stdin"), data("1\n") + message(b"f", b"no\0"), q("rollback"), run("select 1") + SYNC),
    "the remains of a copy": (q("copy t from stdin"), data("x\n") + data("2\n") + DONE, q("select 1"), run("select 2") + SYNC),
    "syncs only": (SYNC + SYNC, SYNC, *BUSY, SYNC, q("commit")),
    "transactions in a chain": (*BUSY, q("commit and chain"), q("insert into t values (2)"), q("rollback and chain"), q("commit")),
    "the isolation level after a lock": (
        q("begin"), q("lock table t"), q("set transaction isolation level serializable"), q("select count(*) from t"), q("commit"),
    ),
    "the names that are ours": (
        *BUSY, q("savepoint neon_hooks"), q("insert into t values (2)"), parse("select 5", "other") + SYNC,
        q("rollback to savepoint neon_hooks"), q("update t set id = 4"), q("release savepoint neon_hooks"), q("commit"),
    ),
    "a statement of two megabytes": (*BUSY, q(f"select length('{'x' * (2 << 20)}')"), run(f"select length('{'y' * (2 << 20)}')") + SYNC),
}  # fmt: skip


class Raw:
    """A connection without a driver."""

    def __init__(self, dsn: Dsn) -> None:
        self._socket = socket.create_connection((dsn.host, dsn.port), timeout=30)
        startup = struct.pack(">I", 196608) + f"user\0{dsn.user}\0database\0{dsn.database}\0\0".encode()
        self._socket.sendall(struct.pack(">I", len(startup) + 4) + startup)
        self._read(b"R")
        scram = Scram(dsn.password.encode())
        first = scram.first
        self._socket.sendall(message(b"p", MECHANISM + b"\0" + struct.pack(">I", len(first)) + first))
        self._socket.sendall(message(b"p", scram.proof(self._read(b"R")[-1][1][4:])))
        self._read(b"Z")

    def close(self) -> None:
        self._socket.close()

    def talk(self, rounds: Sequence[bytes]) -> list[tuple[str, bytes]]:
        """All that comes back. A round ends with silence: one cannot know what comes without a driver."""
        received = b""
        self._socket.settimeout(SILENCE)
        for sent in rounds:
            self._socket.sendall(sent)
            with suppress(TimeoutError):
                while part := self._socket.recv(1 << 16):
                    received += part
        self._socket.settimeout(30)
        self._socket.sendall(message(b"X"))
        while part := self._socket.recv(1 << 16):
            received += part
        return list(messages(received))

    def _read(self, last: bytes) -> list[tuple[str, bytes]]:
        received = b""
        while True:
            part = self._socket.recv(1 << 16)
            assert part, received
            received += part
            found = [(chr(kind), body) for kind, body in whole(received)]
            if found and found[-1][0] == last.decode():
                return found


def whole(received: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 5 <= len(received):
        (length,) = struct.unpack_from(">I", received, position + 1)
        if position + 1 + length > len(received):
            return
        yield received[position], received[position + 5 : position + 1 + length]
        position += 1 + length


@contextmanager
def raw(dsn: Dsn) -> Iterator[Raw]:
    connection = Raw(dsn)
    try:
        yield connection
    finally:
        connection.close()


@pytest.mark.parametrize("case", CASES)
def test_the_answers_are_the_same(postgres: Postgres, case: str) -> None:
    rounds = (*SET_UP, *CASES[case])
    with raw(postgres.database()) as connection:
        wanted = connection.talk(rounds)
    with Recorder(postgres.database(), snapshot=LOCKS, count=count) as recorder, raw(recorder.dsn) as connection:
        got = connection.talk(rounds)
    assert got == wanted
    assert (recorder.recording.peers[0].blind, recorder.recording.troubles) == ("", [])
    if BUSY[1] in rounds:
        assert recorder.recording.injections
    assert not any(injection.failed for injection in recorder.recording.injections)


def test_who_failed_and_who_was_skipped(postgres: Postgres) -> None:
    with Recorder(postgres.database()) as recorder, raw(recorder.dsn) as connection:
        connection.talk((*CASES["a pipeline with several errors"], *CASES["a sync that fails"]))
    seen = [(e.sql, e.error["sqlstate"] if e.error else "", e.skipped) for e in recorder.recording.exchanges]
    assert seen == [
        ("select 1", "", False), ("select 1/0", "22012", False), ("select 'skipped'", "", True), ("select 2", "", False),
        ("nonsense", "42601", False), ("select 'skipped too'", "", True), ("select 3", "", False), ("select 4", "", False),
        ("create table d (id int primary key deferrable initially deferred)", "", False),
        ("insert into d values (1), (1)", "23505", False), ("select 6", "", False), ("select 7", "", False),
    ]  # fmt: skip


def test_when_transactions_end(postgres: Postgres) -> None:
    with Recorder(postgres.database()) as recorder, raw(recorder.dsn) as connection:
        connection.talk((*SET_UP, *CASES["transactions in a chain"], q("begin; select 1; commit; select 2"), q("select 1/0")))
    ends = [committed for _, _, committed in recorder.recording.transaction_ends]
    assert ends == [True, True, True, False, True, True, True, False]
