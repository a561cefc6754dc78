"""The scenario of clients_test.py with psycopg 3: simple and extended protocol, prepared statements, pipelines."""

from __future__ import annotations

import logging
import sys
import threading
from datetime import datetime, timezone
from decimal import Decimal

import psycopg
from psycopg.types.json import Jsonb

# It warns of an aborted pipeline or does not, depending on when the answer comes, and names an address in memory.
logging.getLogger("psycopg").setLevel(logging.ERROR)
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def show(*words: object) -> None:
    print(*words, flush=True)


def failing(connection: psycopg.Connection, sql: str, params: object = None) -> None:
    try:
        connection.execute(sql, params)
    except psycopg.Error as error:
        show(error.sqlstate, error.diag.severity, error.diag.message_primary, error.diag.message_detail,
             error.diag.statement_position, error.diag.table_name, error.diag.constraint_name,
             connection.info.transaction_status.name)


def main(url: str) -> None:
    one = psycopg.connect(url, autocommit=True)
    one.add_notice_handler(lambda words: show("notice", words.severity, words.sqlstate, words.message_primary))
    one.execute("create table if not exists t (id int primary key, v text, n numeric, at timestamptz, b bytea, j jsonb)")
    one.execute("create table if not exists t (id int)")
    for number in range(8):  # prepared on the server from the fifth on
        one.execute("insert into t values (%s, %s, %s, %s, %s, %s)",
                    (number, f"ä{number}", Decimal("1.50"), AT, b"\0\xff", Jsonb({"k": [number]})))
    show(one.execute("select * from t where id = %b", (3,)).fetchall())
    show(one.execute("").statusmessage)

    with one.transaction():
        one.execute("update t set v = 'x' where id < 3")
        try:
            with one.transaction():
                one.execute("select 1/0")
        except psycopg.Error as error:
            show(error.sqlstate, one.info.transaction_status.name)
        failing_inside = one.execute("select count(*) from t where v = 'x'").fetchall()
        show(failing_inside, one.info.transaction_status.name)
    one.execute("begin")
    failing(one, "insert into t (id) values (%s)", (1,))
    failing(one, "select 2")
    one.execute("rollback")
    failing(one, "select * from missing")
    failing(one, "begin; select 1; select 1/0; select 3")
    one.execute("rollback")

    try:  # leaving the pipeline is what ends the error, whenever the answer came
        with one.pipeline(), one.cursor() as cursor:
            cursor.execute("select %s::int", (1,))
            show(cursor.fetchall())
            cursor.execute("select 1/%s", (0,))
            one.execute("select 'skipped'")
    except psycopg.Error as error:
        show(error.sqlstate)
    with one.pipeline(), one.cursor() as cursor:
        cursor.execute("select 'after'")
        show(cursor.fetchall())

    with one.transaction(), one.cursor() as cursor:
        one.execute("alter table t add column extra int default 7")
        with cursor.copy("copy t (id, v) from stdin") as copy:
            for number in range(100, 103):
                copy.write_row((number, "copied\t"))
        show(cursor.statusmessage)
        with cursor.copy("copy (select id, v, extra from t order by id) to stdout (format binary)") as copy:
            show(b"".join(bytes(part) for part in copy))
    try:
        with one.cursor().copy("copy t (id) from stdin") as copy:
            copy.write("no number\n")
    except psycopg.Error as error:
        show(error.sqlstate, error.diag.context)
    try:
        with one.cursor().copy("copy t (id) from stdin") as copy:
            copy.write("500\n")
            raise RuntimeError("changed my mind")
    except RuntimeError as error:
        show(error)
    show(one.execute("select count(*) from t").fetchall())

    with one.transaction(), one.cursor("named") as cursor:
        one.execute("create index on t (v)")
        cursor.execute("select id from t order by id")
        show(cursor.fetchmany(2))
        one.execute("update t set n = n + 1 where id = 2")
        show(cursor.fetchmany(3))
        one.execute("lock table t in share mode")
    one.execute("alter table t drop column j")
    large = "é" * 1_200_000
    show(len(one.execute("select %s::text || 'x'", (large,)).fetchall()[0][0]))
    one.execute(f"do $$ begin perform '{large}'; raise notice 'large'; end $$")
    show(len(one.execute("select i, repeat('x', 100) from generate_series(1, 20000) i").fetchall()))

    other = psycopg.connect(url, autocommit=True)
    other.execute("listen bell")
    one.execute("notify bell, 'ding'")
    show([(n.channel, n.payload) for n in other.notifies(timeout=10, stop_after=1)])
    threading.Timer(0.5, other.cancel).start()
    failing(other, "select pg_sleep(30)")
    show(other.execute("select 'alive'").fetchall())
    other.close()
    one.close()


main(sys.argv[1])
