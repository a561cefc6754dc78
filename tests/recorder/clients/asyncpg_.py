"""The scenario of clients_test.py with asyncpg: binary, prepared statements, cursors that end with Flush."""

from __future__ import annotations

import asyncio
import io
import sys
from datetime import datetime, timezone
from decimal import Decimal

import asyncpg

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def show(*words: object) -> None:
    print(*words, flush=True)


async def failing(connection: asyncpg.Connection, sql: str, *params: object) -> None:
    try:
        await connection.fetch(sql, *params)
    except asyncpg.PostgresError as error:
        show(error.sqlstate, error.as_dict().get("severity"), error, error.as_dict().get("position"))


async def main(url: str, insist: bool) -> None:
    async def connect() -> asyncpg.Connection:
        return await (asyncpg.connect(url, ssl="require") if insist else asyncpg.connect(url))

    one = await connect()
    one.add_log_listener(lambda _, words: show("notice", words.severity, words))
    await one.execute("create table t (id int primary key, v text, n numeric, at timestamptz, b bytea, j jsonb)")
    await one.execute("create table if not exists t (id int)")
    rows = [(number, f"ä{number}", Decimal("1.50"), AT, b"\0\xff", '{"k": 1}') for number in range(8)]
    await one.executemany("insert into t values ($1, $2, $3, $4, $5, $6)", rows)
    show(await one.fetch("select * from t where id < $1 order by id", 3))
    statement = await one.prepare("select v from t where id = $1")
    async with one.transaction():
        await one.execute("update t set v = 'x' where id < 3")
        show(await statement.fetchval(1))
        try:
            async with one.transaction():
                await one.execute("create index on t (v)")
                await one.execute("select 1/0")
        except asyncpg.PostgresError as error:
            show(error.sqlstate, one.is_in_transaction())
        show(await statement.fetchval(2))
        show([row["id"] async for row in one.cursor("select id from t order by id", prefetch=3)])
        cursor = await one.cursor("select id from t order by id")
        show(await cursor.fetch(2))
        await one.execute("create table made as select 7 as extra")
        show(await cursor.fetch(2))
    await one.execute("alter table t add column extra int default 7")
    await failing(one, "insert into t (id) values ($1)", 1)
    await failing(one, "select * from missing")
    try:
        await one.executemany("insert into t (id) values ($1)", [(50,), (51,), (50,)])
    except asyncpg.PostgresError as error:
        show(error.sqlstate, error)
    async with one.transaction():
        await one.execute("create table filled (id int, v text)")
        show(await one.copy_records_to_table("filled", records=[(1, "a"), (2, "b")]))
        show(await one.copy_to_table("t", source=io.BytesIO(b"100\tone\n101\ttwo\n"), columns=["id", "v"]))
        out = io.BytesIO()
        show(await one.copy_from_query("select id, v, extra from t order by id", output=out), out.getvalue())
    try:
        await one.copy_to_table("t", source=io.BytesIO(b"no number\n"), columns=["id"])
    except asyncpg.PostgresError as error:
        show(error.sqlstate, error)
    await one.execute("alter table t drop column j; select 1; do $$ begin raise warning 'two'; end $$")
    show(await one.fetchval("select length($1::text)", "é" * 1_200_000))
    show(len(await one.fetch("select i, repeat('x', 100) from generate_series(1, 20000) i")))

    other = await connect()
    rung: asyncio.Queue[object] = asyncio.Queue()
    await other.add_listener("bell", lambda _, __, channel, payload: rung.put_nowait((channel, payload)))
    await one.execute("notify bell, 'ding'")
    show(await asyncio.wait_for(rung.get(), 10))
    try:
        await other.fetch("select pg_sleep(30)", timeout=0.5)  # asks the server to cancel it
    except asyncio.TimeoutError:
        show("timed out")
    show(await other.fetch("select 'alive'"))
    await other.close()
    await one.close()


asyncio.run(main(sys.argv[1], "insist" in sys.argv[2:]))
