"""The queries that production has run, out of its own statistics. Only looked at, in a transaction that cannot write."""

from __future__ import annotations

from contextlib import closing

import psycopg
from psycopg import sql

from neon_hooks.database.connect import connect
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Unavailable
from neon_hooks.queries import PRODUCTION, Known, Query, is_about_the_server, is_query
from neon_hooks.sqlscript import split

MOST = 2_000  # the extension keeps 5 000, of all databases (manual, F.32.3)
# The whole session, and then the transaction itself: nothing that this module sends could write anyway.
READ_ONLY = (
    "set session characteristics as transaction read only",
    "set statement_timeout = '5s'",
    "set search_path to pg_catalog",
)
EXTENSION = """
    select n.nspname::text from pg_extension e join pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'pg_stat_statements'"""
STATISTICS = sql.SQL("""
    select s.query, sum(s.calls)::bigint from {}.pg_stat_statements s
    where s.dbid = (select oid from pg_database where datname = current_database()) and s.query is not null
    group by 1 order by 2 desc limit {}""")


def production_queries(dsn: Dsn) -> Known:
    """The most frequent first. Literals are parameters there already; what may hold some is left out.

    Raises Unavailable where they cannot be read.
    """
    try:
        with closing(connect(dsn)) as connection:
            for statement in READ_ONLY:
                connection.execute(statement)
            connection.execute("begin transaction read only")
            if connection.execute("show transaction_read_only").fetchone() != ("on",):
                raise Unavailable("the session could not be made read-only")
            schema = connection.execute(EXTENSION).fetchone()
            if schema is None:
                raise Unavailable(f"the database has no extension {PRODUCTION}", fix=f"CREATE EXTENSION {PRODUCTION}")
            query = STATISTICS.format(sql.Identifier(schema[0]), sql.Literal(MOST))
            rows = connection.execute(query).fetchall()
            connection.execute("rollback")
    except psycopg.Error as error:
        raise Unavailable(str(error).strip().splitlines()[0] if str(error).strip() else "no answer") from None
    found = [Query(text.strip(), PRODUCTION, calls=calls) for text, calls in rows if _is_the_applications(text)]
    return Known().with_more(found, len(rows) - len(found))


def _is_the_applications(text: str) -> bool:
    parts = list(split(text))
    return len(parts) == 1 and is_query(parts[0]) and not is_about_the_server(text)
