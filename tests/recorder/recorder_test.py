"""The recorder between real clients and a real server: the client sees what it would see without it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from neon_hooks.dsn import Dsn
from neon_hooks.recorder import COUNT, SNAPSHOT, Recorder, Recording
from tests.fix_systems import Postgres

LOCKS = (
    "select coalesce(string_agg(l.mode, ',' order by l.mode), '') from pg_catalog.pg_locks l"
    " where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation' and l.relation >= 16384"
)
SCRIPT = """\
\\set ON_ERROR_STOP off
\\timing off
create table t (id int primary key, v text);
insert into t select i, 'x' || i from generate_series(1, 1000) i;
begin; update t set v = 'y' where id < 10; savepoint s; select 1/0; rollback to s; commit;
copy t (id, v) from stdin;
2000\tä
2001\t\\N
\\.
copy t to stdout;
do $$ begin raise notice 'hello'; raise warning 'careful' using errcode = '01004'; end $$;
select * from missing;
select v from t where id = 5 \\gdesc
select count(*) from t; select 'two' as statements \\;  select 'in one message';
begin; drop table t; rollback;
create index concurrently i on t (v);
"""


def psql(dsn: Dsn, script: str, **environ: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run(
        ["psql", "-X", "-a", "-v", "VERBOSITY=verbose", dsn.uri()], input=script.encode(), capture_output=True,
        env={**os.environ, **environ},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def dsn(postgres: Postgres) -> Dsn:
    return postgres.database()


@pytest.fixture
def recorder(dsn: Dsn) -> Iterator[Recorder]:
    with Recorder(dsn, snapshot=LOCKS) as made:
        yield made


def test_psql_prints_the_same_with_and_without_it(postgres: Postgres) -> None:
    direct = psql(postgres.database(), SCRIPT)
    with Recorder(postgres.database(), snapshot=LOCKS) as recorder:
        recorded = psql(recorder.dsn, SCRIPT)
    assert recorded == direct
    assert recorder.recording.injections
    assert not any(peer.blind for peer in recorder.recording.peers)


def test_statements_have_their_text_their_tag_their_rows_and_their_error(recorder: Recorder) -> None:
    psql(recorder.dsn, SCRIPT)
    seen = {exchange.sql: exchange for exchange in recorder.recording.exchanges}
    update = seen["update t set v = 'y' where id < 10;"]
    assert [(result.tag, result.rows) for result in update.results] == [("UPDATE", 9)]
    assert (update.before, update.after) == ("T", "T")
    division = seen["select 1/0;"]
    assert division.error is not None and division.error["sqlstate"] == "22012"
    assert division.after == "E"
    several = seen["select 'two' as statements ;  select 'in one message';"]
    assert [result.tag for result in several.results] == ["SELECT", "SELECT"]
    assert seen["copy t to stdout;"].results[0].rows == 1002
    (notice,) = [n for e in seen.values() for n in e.notices if n["severity"] == "WARNING"]
    assert notice["sqlstate"] == "01004"


def test_a_transaction_is_looked_at_before_it_ends(recorder: Recorder) -> None:
    with psycopg.connect(recorder.dsn.uri()) as connection:
        connection.execute("create table t (id int)")
        connection.execute("lock table t in share mode")
    before_commit = [i for i in recorder.recording.injections if i.before and i.before.sql == "COMMIT"]
    assert [(i.purpose, i.failed) for i in before_commit] == [(SNAPSHOT, "")]
    assert "ShareLock" in before_commit[0].text


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_the_clients_first_query_still_takes_the_snapshot(dsn: Dsn, isolation: str) -> None:
    """Looking between BEGIN and the first query would freeze what the transaction sees too early."""
    with Recorder(dsn, snapshot=LOCKS) as recorder, closing(psycopg.connect(recorder.dsn.uri(), autocommit=True)) as one:
        one.execute("create table t (id int)")
        one.execute(f"begin isolation level {isolation}")
        with psycopg.connect(dsn.uri(), autocommit=True) as other:
            other.execute("insert into t values (1)")
        assert one.execute("select count(*) from t").fetchone() == (1,)
        one.execute("commit")


def test_our_query_leaves_unnamed_statements_portals_and_cursors_alone(dsn: Dsn) -> None:
    with Recorder(dsn, snapshot=LOCKS) as recorder, psycopg.connect(recorder.dsn.uri()) as connection:
        connection.execute("create table t as select i from generate_series(1, 10) i")
        with psycopg.ServerCursor(connection, "mine") as cursor:
            cursor.execute("select i from t order by i")
            assert cursor.fetchmany(3) == [(1,), (2,), (3,)]
            connection.execute("update t set i = i + 100 where i < 3")
            assert cursor.fetchmany(2) == [(4,), (5,)]
        raw = connection.pgconn
        raw.prepare(b"changing", b"update t set i = 0")
        raw.prepare(b"", b"select 'unnamed, from before'")
        raw.exec_prepared(b"changing", None)
        assert raw.exec_prepared(b"", None).get_value(0, 0) == b"unnamed, from before"
    assert [i.before.sql for i in recorder.recording.injections if i.before][-1] == "select 'unnamed, from before'"


def test_a_failure_of_our_query_is_not_the_clients(dsn: Dsn) -> None:
    with Recorder(dsn, snapshot="select 1/0") as recorder:
        with psycopg.connect(recorder.dsn.uri()) as connection:
            connection.execute("create table t (id int)")
            connection.execute("insert into t values (1)")
        with psycopg.connect(recorder.dsn.uri()) as connection:
            assert connection.execute("select * from t").fetchall() == [(1,)]
    assert recorder.recording.injections[0].failed == "division by zero"


def test_what_a_statement_would_take_away_is_counted_before_it_runs(dsn: Dsn) -> None:
    def count(sql: str) -> str:
        return "select count(v)::text from t" if "drop column" in sql else ""

    with Recorder(dsn, count=count) as recorder:
        with psycopg.connect(recorder.dsn.uri(), autocommit=True) as connection:
            connection.execute("create table t (v text)")
            connection.execute("insert into t values ('a'), (null), ('b')")
            connection.execute("alter table t drop column v")
    (injection,) = recorder.recording.injections
    assert (injection.purpose, injection.text) == (COUNT, "2")
    assert injection.before is not None and injection.before.sql == "alter table t drop column v"


def test_what_the_watchers_say_reaches_the_recording_and_not_the_client(recorder: Recorder) -> None:
    raising = "do $$ begin raise info 'from a watcher' using errcode = 'NH001'; raise info 'from the client'; end $$"
    heard: list[str] = []
    with psycopg.connect(recorder.dsn.uri(), autocommit=True) as connection:
        connection.add_notice_handler(lambda words: heard.append(words.message_primary or ""))
        connection.execute(raising)
    assert heard == ["from the client"]
    assert [(mark.text, mark.exchange and mark.exchange.sql) for mark in recorder.recording.marks] == [
        ("from a watcher", raising)
    ]


def test_a_cancel_request_arrives(recorder: Recorder) -> None:
    sleeping = subprocess.Popen(
        ["psql", "-X", recorder.dsn.uri(), "-c", "select pg_sleep(60)"], stderr=subprocess.PIPE, text=True
    )
    while not any("pg_sleep" in exchange.sql for exchange in recorder.recording.exchanges):
        time.sleep(0.02)
    time.sleep(0.1)
    sleeping.send_signal(signal.SIGINT)
    assert "canceling statement due to user request" in sleeping.communicate(timeout=20)[1]
    assert recorder.recording.cancels == 1


def test_a_client_that_insists_on_tls_is_served(recorder: Recorder) -> None:
    wanted = recorder.dsn.with_params(sslmode="require")
    assert psql(wanted, "select 1")[0] == 0
    assert recorder.recording.peers[0].tls


def test_a_wrong_password_is_refused_in_the_servers_words(recorder: Recorder) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(recorder.dsn.uri(), password="wrong")
    assert "password authentication failed" in recorder.recording.peers[0].refused


def test_a_server_that_is_not_there_is_said_in_the_clients_protocol() -> None:
    nowhere = Dsn("127.0.0.1", "shop", "app", "secret", 1)
    with Recorder(nowhere) as recorder:
        with pytest.raises(psycopg.OperationalError, match="neon-hooks cannot connect to 127.0.0.1"):
            psycopg.connect(recorder.dsn.uri())


def test_a_cut_connection_ends_the_client(recorder: Recorder) -> None:
    connection = psycopg.connect(recorder.dsn.uri(), autocommit=True)
    recorder.cut()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("select 1")
    with closing(psycopg.connect(recorder.dsn.uri())):
        pass


def test_a_connection_is_cut_at_its_moment_and_no_new_one_is_let_through(dsn: Dsn) -> None:
    def is_made(recording: Recording) -> bool:
        return any(each.sql == "create table made ()" and each.ended for each in recording.exchanges)

    with Recorder(dsn, cut_when=is_made) as recorder:
        connection = psycopg.connect(recorder.dsn.uri(), autocommit=True)
        connection.execute("select 1")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("create table made ()")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(recorder.dsn.uri())
    with closing(psycopg.connect(dsn.uri())) as other:
        assert other.execute("select to_regclass('made')::text").fetchone() == ("made",)
