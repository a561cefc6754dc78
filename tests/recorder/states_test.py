"""Connections that end badly, and many at once: the recorder does to each side what the network would do."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from neon_hooks.dsn import Dsn
from neon_hooks.recorder import Recorder
from tests.fix_systems import Postgres, query
from tests.recorder.raw_test import Raw, data, q


def eventually(is_so: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    return is_so()


def backends(dsn: Dsn) -> int:
    """Other sessions in this database; the server's own workers come and go."""
    sql = """select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"""
    return int(query(dsn, sql)[0][0])


@pytest.mark.parametrize("sql", ["select pg_sleep(1)", "copy t from stdin", "begin; lock table t"])
def test_a_client_that_dies_leaves_nothing_behind(postgres: Postgres, sql: str) -> None:
    dsn = postgres.database("create table t (id int)")
    with Recorder(dsn) as recorder:
        dying = Raw(recorder.dsn)
        dying._socket.sendall(q(sql) + (data("1\n") if "copy" in sql else b""))
        assert eventually(lambda: len(recorder.recording.exchanges) == 1)
        dying.close()
        assert eventually(lambda: backends(dsn) == 0)
        assert query(dsn, "select count(*) from t") == [(0,)]
        with psycopg.connect(recorder.dsn.uri()) as other:
            assert other.execute("select 1").fetchone() == (1,)
    assert recorder.recording.peers[0].closed
    assert recorder.recording.troubles == []


def test_a_server_that_dies_ends_the_client_in_its_own_words(postgres: Postgres) -> None:
    dsn = postgres.database()
    with Recorder(dsn) as recorder, psycopg.connect(recorder.dsn.uri(), autocommit=True) as connection:
        query(dsn, f"select pg_terminate_backend({connection.info.backend_pid})")
        with pytest.raises(psycopg.errors.AdminShutdown):
            connection.execute("select 1")
    assert recorder.recording.peers[0].closed


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dsn = Dsn("127.0.0.1", "shop", "app", "secret", silent.getsockname()[1], {"sslmode": "require"})
        with Recorder(dsn, patience=1) as recorder:
            with pytest.raises(psycopg.OperationalError, match="no answer within 1 seconds"):
                psycopg.connect(recorder.dsn.uri())
    assert recorder.recording.troubles == []


def test_a_client_that_ends_its_half_still_gets_its_answer(postgres: Postgres) -> None:
    with Recorder(postgres.database()) as recorder:
        connection = Raw(recorder.dsn)
        connection._socket.sendall(q("select pg_sleep(0.5); select 'answer'"))
        connection._socket.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection._socket.recv(1 << 16):
            received += part
        connection.close()
    assert b"answer" in received


def test_stopped_while_a_statement_runs(postgres: Postgres) -> None:
    dsn = postgres.database()
    with Recorder(dsn) as recorder:
        client = subprocess.Popen(
            [sys.executable, "-c", f"import psycopg; psycopg.connect({recorder.dsn.uri()!r}).execute('select pg_sleep(60)')"],
            stderr=subprocess.PIPE,
        )
        assert eventually(lambda: len(recorder.recording.exchanges) > 1)
        began = time.monotonic()
    assert time.monotonic() - began < 30
    assert client.wait(20) != 0
    assert client.stderr and client.stderr.read()
    client.stderr.close()
    recorder.cut()  # after the end: nothing to cut, and no error
    assert recorder.recording.exchanges[-1].ended == 0
    assert recorder.recording.troubles == []


def test_fifty_connections_at_once(postgres: Postgres) -> None:
    with Recorder(postgres.database("create table t (id int)")) as recorder:

        def work(number: int) -> int:
            with psycopg.connect(recorder.dsn.uri()) as connection:
                for _ in range(20):
                    connection.execute("insert into t values (%s)", (number,))
            return number

        with ThreadPoolExecutor(50) as pool:
            assert sum(pool.map(work, range(50))) == 1225
    assert query(recorder._relay.target, "select count(*) from t") == [(1000,)]
    by_connection = {peer.number: 0 for peer in recorder.recording.peers}
    for exchange in recorder.recording.exchanges:
        by_connection[exchange.connection] += exchange.sql.startswith("insert")
    assert set(by_connection.values()) == {20}


def test_a_slow_reader_is_sent_to_slowly(postgres: Postgres) -> None:
    """200 MB for a client that does not read: the server has to wait, not our memory."""
    dsn = postgres.database()
    with Recorder(dsn) as recorder:
        connection = Raw(recorder.dsn)
        connection._socket.sendall(q("select repeat('x', 100000) from generate_series(1, 2000)"))
        time.sleep(1.5)
        (client,) = [side for side in recorder._relay.open if hasattr(side, "session")]
        assert client.transport.get_write_buffer_size() < 3 << 20
        with psycopg.connect(recorder.dsn.uri()) as other:  # who goes on meanwhile
            assert other.execute("select 1").fetchone() == (1,)
        received = 0
        while received < 200_000_000:
            received += len(connection._socket.recv(1 << 20))
        connection.close()


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\0\x01\0\x01", b"GET / HTTP/1.1\r\n\r\n", bytes(8), b"\0\0\0\x08\x04\xd2\x16\x2fsmuggled", b"\0\0\0\x08\0\2\0\0"],
    ids=["tls at once", "http", "zeros", "plain text after asking for tls", "protocol 2"],
)  # fmt: skip
def test_who_is_no_client_is_turned_away(postgres: Postgres, sent: bytes) -> None:
    with Recorder(postgres.database()) as recorder:
        with socket.create_connection(("127.0.0.1", recorder.dsn.port), timeout=10) as stranger:
            stranger.sendall(sent)
            answer = stranger.recv(1000)
            assert answer[:1] in (b"", b"E")
        with psycopg.connect(recorder.dsn.uri()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    assert recorder.recording.troubles == []


def test_a_client_that_does_not_wait_for_the_login_is_not_heaped_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dsn = Dsn("127.0.0.1", "shop", "app", "secret", silent.getsockname()[1], {"sslmode": "require"})
        with Recorder(dsn, patience=2) as recorder:
            with socket.create_connection(("127.0.0.1", recorder.dsn.port), timeout=0.5) as eager:
                eager.sendall(struct.pack(">IHH", 20, 3, 0) + b"user\0app\0\0\0"[:12])
                with pytest.raises((TimeoutError, OSError)):
                    for _ in range(200):
                        eager.sendall(bytes(1 << 20))
                held = sum(len(side._first) for side in recorder._relay.open if hasattr(side, "_first"))
                assert held < 1 << 20


def test_cut_breaks_every_connection_and_later_ones_work(postgres: Postgres) -> None:
    with Recorder(postgres.database()) as recorder:
        connections = [psycopg.connect(recorder.dsn.uri(), autocommit=True) for _ in range(3)]
        threading.Timer(0.3, recorder.cut).start()
        with pytest.raises(psycopg.OperationalError):
            connections[0].execute("select pg_sleep(30)")
        for connection in connections[1:]:
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
        for connection in connections:
            connection.close()
        with psycopg.connect(recorder.dsn.uri()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
