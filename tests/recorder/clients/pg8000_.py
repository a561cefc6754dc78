"""The scenario of clients_test.py with pg8000, which speaks the protocol in pure Python. It cannot cancel."""

from __future__ import annotations

import io
import ssl
import sys
from datetime import datetime, timezone
from decimal import Decimal
from urllib.parse import unquote, urlsplit

import pg8000.native

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def show(*words: object) -> None:
    print(*words, flush=True)


def failing(connection: pg8000.native.Connection, sql: str, **params: object) -> None:
    try:
        connection.run(sql, **params)
    except pg8000.native.DatabaseError as error:
        show(sorted(error.args[0].items()))


def main(url: str, insist: bool) -> None:
    parts = urlsplit(url)
    context = ssl.create_default_context() if insist else None
    if context:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def connect() -> pg8000.native.Connection:
        return pg8000.native.Connection(
            parts.username or "", host=parts.hostname or "", port=parts.port or 0, password=unquote(parts.password or ""),
            database=parts.path.strip("/"), ssl_context=context,
        )  # fmt: skip

    one = connect()
    one.run("create table t (id int primary key, v text, n numeric, at timestamptz, b bytea, j jsonb)")
    one.run("create table if not exists t (id int)")
    for number in range(8):
        one.run("insert into t values (:id, :v, :n, :at, :b, :j)",
                id=number, v=f"ä{number}", n=Decimal("1.50"), at=AT, b=b"\0\xff", j={"k": [number]})
    show(one.run("select * from t where id < :limit order by id", limit=3), one.row_count)
    statement = one.prepare("select v from t where id = :id")
    show(statement.run(id=4))
    one.run("begin")
    one.run("update t set v = 'x' where id < 3")
    show(statement.run(id=2))
    one.run("savepoint s")
    failing(one, "select 1/:zero", zero=0)
    one.run("rollback to savepoint s")
    one.run("create index on t (v)")
    show(statement.run(id=5))
    one.run("commit")
    failing(one, "insert into t (id) values (1)")
    failing(one, "select * from missing")
    one.run("do $$ begin raise notice 'hello'; end $$")
    show([sorted(notice.items()) for notice in one.notices])
    one.run("begin")
    one.run("alter table t add column extra int default 7")
    one.run("copy t (id, v) from stdin", stream=io.BytesIO(b"100\tone\n101\ttwo\n"))
    out = io.BytesIO()
    one.run("copy (select id, v, extra from t order by id) to stdout", stream=out)
    show(out.getvalue())
    one.run("commit")
    try:
        one.run("copy t (id) from stdin", stream=io.BytesIO(b"no number\n"))
    except pg8000.native.DatabaseError as error:
        show(sorted(error.args[0].items()))
    show(one.run("select count(*) from t"))
    one.run("alter table t drop column j")
    show(one.run("select length(:large)", large="é" * 1_200_000))
    show(len(one.run("select i, repeat('x', 100) from generate_series(1, 20000) i")))
    other = connect()
    other.run("listen bell")
    one.run("notify bell, 'ding'")
    other.run("select 1")
    show([(channel, payload) for _, channel, payload in other.notifications])
    other.close()
    one.close()


main(sys.argv[1], "insist" in sys.argv[2:])
