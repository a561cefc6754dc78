"""The scenario of clients_test.py with psycopg2: the simple protocol, an implicit BEGIN, COPY by files."""

from __future__ import annotations

import io
import sys
import threading
from datetime import datetime, timezone
from decimal import Decimal

import psycopg2
import psycopg2.extensions
from psycopg2.extras import Json

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def show(*words: object) -> None:
    print(*words, flush=True)


def failing(cursor, sql, params=None) -> None:
    try:
        cursor.execute(sql, params)
    except psycopg2.Error as error:
        show(error.pgcode, error.diag.severity, error.pgerror, cursor.connection.info.transaction_status)


def main(url: str) -> None:
    one = psycopg2.connect(url)
    cursor = one.cursor()
    cursor.execute("create table t (id int primary key, v text, n numeric, at timestamptz, b bytea, j jsonb)")
    cursor.execute("create table if not exists t (id int)")
    for number in range(8):
        cursor.execute("insert into t values (%s, %s, %s, %s, %s, %s)",
                       (number, f"ä{number}", Decimal("1.50"), AT, b"\0\xff", Json({"k": [number]})))
    one.commit()
    cursor.execute("select id, v, n, b, j from t order by id")
    show([(id, v, n, bytes(b), j) for id, v, n, b, j in cursor.fetchall()], cursor.statusmessage)
    cursor.execute("savepoint s")
    failing(cursor, "insert into t (id) values (1)")
    cursor.execute("rollback to savepoint s")
    failing(cursor, "select 1/0")
    failing(cursor, "select 2")
    one.rollback()
    failing(cursor, "")
    cursor.execute("do $$ begin raise notice 'hello'; raise warning 'careful'; end $$")
    show(one.notices)
    cursor.execute("alter table t add column extra int default 7")
    cursor.copy_expert("copy t (id, v) from stdin", io.StringIO("100\tone\n101\ttwo\n"))
    show(cursor.statusmessage)
    out = io.StringIO()
    cursor.copy_expert("copy (select id, v, extra from t order by id) to stdout", out)
    show(out.getvalue())
    one.commit()
    try:
        cursor.copy_expert("copy t (id) from stdin", io.StringIO("no number\n"))
    except psycopg2.Error as error:
        show(error.pgcode, error.pgerror)
    one.rollback()
    with one.cursor("named") as named:
        cursor.execute("create index on t (v)")
        named.execute("select id from t order by id")
        show(named.fetchmany(2))
        cursor.execute("update t set n = n + 1 where id = 2")
        show(named.fetchmany(3))
    one.commit()
    one.autocommit = True
    cursor.execute("alter table t drop column j")
    cursor.execute("select 'a' as a; select 'b' as b, 2")
    show(cursor.fetchall())
    cursor.execute("select length(%s)", ("é" * 1_200_000,))
    show(cursor.fetchall())
    cursor.execute("select i, repeat('x', 100) from generate_series(1, 20000) i")
    show(len(cursor.fetchall()))

    other = psycopg2.connect(url)
    other.autocommit = True
    listening = other.cursor()
    listening.execute("listen bell")
    cursor.execute("notify bell, 'ding'")
    while not other.notifies:
        other.poll()
    show([(n.channel, n.payload) for n in other.notifies])
    threading.Timer(0.5, other.cancel).start()
    failing(listening, "select pg_sleep(30)")
    listening.execute("select 'alive'")
    show(listening.fetchall())
    other.close()
    one.close()


main(sys.argv[1])
