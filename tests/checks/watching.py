"""The test's own way to see what SQL does: from within the session, statement by statement.

It shares no code with the flight recorder and knows less: each statement outside a transaction is put into one
of its own, so that its locks are still there to be seen, unless Postgres forbids that. Good enough to give the
examples of the catalogue real Facts, and an independent opinion beside the recorder's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from neon_hooks.database import tables
from neon_hooks.database.connect import connect
from neon_hooks.database.execute import database_error
from neon_hooks.sqlscript import split
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.facts import (
    Catalogue, Column, Constraint, DatabaseError, Dropped, Evidence, Index, LockHeld, Lost, Statement, Table,
    ToolRun, Transaction, UnitFacts,
)  # fmt: skip
from neon_hooks.plan import Migration, Unit, Work
from neon_hooks.queries import Known, Query
from neon_hooks.trials.account import with_new_files
from neon_hooks.trials.deployed import deployed, habits
from neon_hooks.trials.flight import flight
from neon_hooks.trials.place import Place

ALONE = ("CONCURRENTLY", "VACUUM")  # cannot be put into a transaction
PATH = "migrations/0002_example.sql"
# What the shop sends.
SENT = (
    "SELECT name, email FROM customers WHERE id = $1",
    "SELECT * FROM orders WHERE note = $1 AND total > $2",
    "INSERT INTO order_lines (order_id, product, amount) VALUES ($1, $2, $3)",
    "UPDATE events SET state = 'sent' WHERE id = $1 RETURNING body",
    "SELECT o.id FROM orders o JOIN recent_orders r USING (id)",
    "SELECT taken_on, value FROM measures WHERE taken_on > $1",
)
OLD_CODE = Known(tuple(Query(sql, "q.sql", line) for line, sql in enumerate(SENT, start=1)))
WORK = Work(Unit("sql", "", "migrations", ()), (Migration(PATH, PATH, ""),), (Migration(PATH, PATH, ""),))
NAMED = "quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
OURS = "join pg_namespace n on n.oid = c.relnamespace and n.nspname !~ '^(pg_|information_schema|watching)'"
SETUP = """
create schema watching;
create table watching.dropped (kind text, identity text, cascaded bool);
create function watching.note() returns event_trigger language plpgsql as $$ begin
    insert into watching.dropped select object_type, object_identity, not original
    from pg_event_trigger_dropped_objects() where schema_name is distinct from 'pg_toast' and not is_temporary;
end $$;
select pg_neon_hooks_door.create_event_trigger('watching', 'sql_drop', 'watching.note()');
"""
LOCKS = f"""select l.mode, {NAMED}, c.oid::int, coalesce((select {NAMED.replace('c.', 't.').replace('n.', 'm.')}
    from pg_index i join pg_class t on t.oid = i.indrelid join pg_namespace m on m.oid = t.relnamespace
    where i.indexrelid = c.oid), {NAMED})
    from pg_locks l join pg_class c on c.oid = l.relation {OURS}
    where l.locktype = 'relation' and l.granted and l.pid = pg_backend_pid() and c.oid = any(%s)"""
SCANS = f"""select {NAMED}, pg_stat_get_xact_numscans(c.oid)::int from pg_class c {OURS} where c.oid = any(%s)"""
FILES = f"select {NAMED}, pg_relation_filenode(c.oid)::int from pg_class c {OURS} where c.oid = any(%s) and c.relkind in ('r', 'm')"


@dataclass
class Watch:
    """One session in which a script runs, and what was seen so far."""

    connection: psycopg.Connection[Any]
    before: Catalogue
    values: Mapping[tuple[str, str], int]
    began: float = field(default_factory=time.monotonic)
    transaction: int = 0
    statements: list[Statement] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    locks: dict[tuple[str, str], LockHeld] = field(default_factory=dict)
    scans: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def oids(self) -> list[int]:
        return [*self.before.tables, *(index.oid for table in self.before.tables.values() for index in table.indexes)]

    @property
    def is_open(self) -> bool:
        return self.connection.info.transaction_status == TransactionStatus.INTRANS

    def now(self) -> float:
        return (time.monotonic() - self.began) * 1000

    def run(self, messages: Sequence[str]) -> DatabaseError | None:
        """Run all of them, up to the first error."""
        self.connection.add_notice_handler(lambda diag: self.warnings.append(diag.sqlstate or ""))
        self.files = self.seen(FILES)
        return next((error for message in messages if (error := self.message(message))), None)

    def message(self, sql: str) -> DatabaseError | None:
        """Several statements in one message are one transaction (manual, 53.2.2.1), which is opened for them."""
        parts = list(split(sql))
        several = len(parts) > 1 and not self.is_open
        if several:
            self.open()
            self.connection.execute("begin")
        for part in parts:
            alone = not self.is_open and not any(word in part.text.upper() for word in ALONE)
            control = part.text.upper().startswith(("BEGIN", "COMMIT", "ROLLBACK"))
            if not self.is_open:
                self.open()
            if alone and not control:
                self.connection.execute("begin")
            error = self.statement(part.text, part.line)
            if error or (alone and not control):
                self.connection.execute("rollback" if error else "commit")
            if not self.is_open:
                self.close(error is None)
            if error:
                return error
        if several and self.is_open:
            self.connection.execute("commit")
            self.close(True)
        return None

    def open(self) -> None:
        self.transaction += 1
        self.transactions.append(Transaction(self.transaction, self.now(), 0.0, False))
        self.locks = {}

    def close(self, committed: bool) -> None:
        """Every lock is released now."""
        now = self.now()
        self.transactions[-1] = replace(self.transactions[-1], ended_ms=now, committed=committed)
        for number, statement in enumerate(self.statements):
            if statement.transaction == self.transaction:
                locks = tuple(replace(lock, held_ms=now - lock.acquired_ms) for lock in statement.locks)
                self.statements[number] = replace(statement, locks=locks)
        self.files = self.seen(FILES)

    def statement(self, sql: str, line: int) -> DatabaseError | None:
        self.warnings.clear()
        started, error, rows, tag = self.now(), None, None, ""
        timeout = self.value("select setting::float8 from pg_settings where name = 'lock_timeout'")
        if self.is_open:
            self.scans = self.seen(SCANS)  # from where on: the server flushes its counters when it likes
        try:
            cursor = self.connection.execute(sql.encode())
            rows = cursor.rowcount if cursor.rowcount >= 0 else None
            tag = " ".join(word for word in (cursor.statusmessage or "").split() if not word.isdigit())
        except psycopg.Error as problem:
            error = database_error(problem)
        statement = Statement(
            sql, PATH, line, started, self.now() - started, self.transaction, rows, error=error, tag=tag,
            lock_timeout_ms=timeout, warnings=tuple(self.warnings),
        )  # fmt: skip
        self.statements.append(self.looked_at(statement) if error is None else statement)
        return error

    def looked_at(self, statement: Statement) -> Statement:
        """What the statement has newly locked, scanned, rewritten, dropped."""
        dropped = tuple(Dropped(*row) for row in self.connection.execute("select * from watching.dropped"))
        if dropped:
            self.connection.execute("delete from watching.dropped")
        locks, scans, rewrites = [], [], []
        if self.is_open:
            for mode, relation, oid, table in self.connection.execute(LOCKS, (self.oids,)):
                if (mode, relation) not in self.locks:
                    known = self.before.named(relation)
                    rows = known.rows if known else None
                    lock = LockHeld(relation, mode, 0.0, True, rows, oid, table, statement.started_ms)
                    self.locks[mode, relation] = lock
                    locks.append(lock)
            now = self.seen(SCANS)
            scans = [name for name, count in now.items() if count > self.scans.get(name, 0) and self.before.named(name)]
        files = self.seen(FILES)
        changed = {name for name, file in files.items() if self.files.get(name, file) != file}
        truncated = statement.tag == "TRUNCATE TABLE" or statement.sql.upper().startswith("TRUNCATE")
        rewrites = [] if truncated else sorted(changed)
        self.files = files
        return replace(
            statement, locks=tuple(locks), scans=tuple(scans), rewrites=tuple(rewrites), dropped=dropped,
            lost=self.lost(dropped, changed if truncated else set()),
        )  # fmt: skip

    def lost(self, dropped: tuple[Dropped, ...], emptied: set[str]) -> tuple[Lost, ...]:
        gone = {each.identity for each in dropped if each.kind == "table"} | emptied
        columns = [each.identity.rpartition(".") for each in dropped if each.kind == "table column"]
        keys = [(table, "") for table in sorted(gone)] + [(table, column) for table, _, column in columns]
        return tuple(Lost(*key, self.values[key]) for key in keys if self.values.get(key))

    def seen(self, query: str) -> dict[str, int]:
        return dict(self.connection.execute(query, (self.oids,)).fetchall())

    def value(self, query: str) -> Any:
        row = self.connection.execute(query).fetchone()
        return row[0] if row else None


def with_old_code(
    see: Callable[[Dsn, Sequence[str]], UnitFacts], dsn: Dsn, messages: Sequence[str]
) -> UnitFacts:
    """What ``see`` sees, and what became of some queries and of the shortest INSERTs."""
    place = Place(Path(), dsn, Deadline.after(60))
    with closing(connect(dsn)) as connection:
        before = tables.catalogue(connection)
    with habits(place, OLD_CODE, before) as old:
        assert len(old.ready) == len(SENT) and not old.so_far.untried
        seen = see(dsn, messages)
        with closing(connect(dsn)) as connection:
            after = tables.catalogue(connection)
        return replace(seen, deployed=deployed(replace(seen, before=before, after=after), place, old).deployed)


def watch(dsn: Dsn, messages: Sequence[str]) -> UnitFacts:
    """Send ``messages`` to the database at ``dsn``, and say what happened."""
    with closing(connect(dsn)) as connection:
        connection.execute(SETUP.encode())
        before = catalogue(connection)
        watched = Watch(connection, before, counts(connection, before))
        error = watched.run(messages)
        after = catalogue(connection)
    run = ToolRun(
        ("psql",), 3 if error else 0, watched.now(), "", tuple(watched.statements), evidence=Evidence.FULL,
        transactions=tuple(watched.transactions),
    )  # fmt: skip
    return UnitFacts(WORK, first=run, before=before, after=after, schema_diff="+example")


def fly(dsn: Dsn, messages: Sequence[str]) -> UnitFacts:
    """The same under the flight recorder."""

    def send(address: Dsn) -> ToolRun:
        failed = False
        with closing(connect(address)) as connection:
            try:
                for message in messages:
                    connection.execute(message.encode())
            except psycopg.Error:
                failed = True
        return ToolRun(("psql",), 3 if failed else 0, 0.0, "", connections=1)

    with closing(connect(dsn)) as connection:
        before = tables.catalogue(connection)
    run = flight(Place(Path(), dsn, Deadline.after(60)), send, before, redact=str)
    with closing(connect(dsn)) as connection:
        after = tables.catalogue(connection)
    return UnitFacts(WORK, first=with_new_files(run, before, after), before=before, after=after, schema_diff="+example")


def counts(connection: psycopg.Connection[Any], before: Catalogue) -> dict[tuple[str, str], int]:
    """Rows of each table, and values that are not null of each column."""
    found = {}
    for table in before.tables.values():
        if table.kind in "rp":
            columns = ", ".join(f'count("{column.name}")' for column in table.columns)
            total, *values = connection.execute(f"select count(*), {columns} from {table.name}".encode()).fetchone() or ()
            found[table.name, ""] = total
            found |= {(table.name, column.name): value for column, value in zip(table.columns, values, strict=True)}
    return found


def catalogue(connection: psycopg.Connection[Any]) -> Catalogue:
    published = {name for (name,) in connection.execute("select schemaname || '.' || tablename from pg_publication_tables")}
    columns = grouped(connection, """select attrelid::int, attnum, attname, format_type(atttypid, atttypmod), attnotnull,
        case when attidentity <> '' then 'identity' else coalesce(pg_get_expr(adbin, adrelid), '') end
        from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attnum > 0 and not attisdropped order by attnum""")
    indexes = grouped(connection, """select indrelid::int, indexrelid::int, 'public.' || indexrelid::regclass::text, indisvalid,
        indisunique, indisprimary, indkey::int2[]::int[], indpred is not null,
        case when amname = 'btree' then array(select pg_get_indexdef(indexrelid, n, false) from generate_series(1, indnkeyatts) n
          order by n) else '{}' end
        from pg_index join pg_class c on c.oid = indexrelid join pg_am m on m.oid = relam""")
    constraints = grouped(connection, """select conrelid::int, oid::int, conname, contype::text, convalidated,
        coalesce(conkey::int[], '{}'), coalesce('public.' || nullif(confrelid, 0)::regclass::text, ''),
        pg_get_constraintdef(oid) from pg_constraint where conrelid <> 0""")
    triggers = grouped(connection, "select tgrelid::int, tgname from pg_trigger where tgenabled in ('D', 'R')")
    policies = grouped(connection, "select format('%I.%I', schemaname, tablename)::regclass::oid::int, policyname from pg_policies")
    granted = grouped(connection, """select format('%I.%I', table_schema, table_name)::regclass::oid::int, grantee, privilege_type
        from information_schema.role_table_grants where table_schema = 'public' and grantee <> grantor""")
    found = {}
    query = f"""select c.oid::int, {NAMED}, c.relkind::text, pg_total_relation_size(c.oid)::int, c.relreplident::text, c.relrowsecurity
        from pg_class c {OURS} where c.relkind in ('r', 'p', 'm', 'v', 'f')"""
    for oid, name, kind, size, identity, row_security in connection.execute(query).fetchall():
        rows = connection.execute(f"select count(*) from {name}".encode()).fetchone() if kind in "rpm" else None
        found[oid] = Table(
            oid, name, kind, rows[0] if rows else None, size,
            columns=tuple(Column(*row) for row in columns.get(oid, ())),
            indexes=tuple(Index(*row[:5], tuple(row[5]), row[6], tuple(row[7])) for row in indexes.get(oid, ())),
            constraints=tuple(Constraint(*row[:4], tuple(row[4]), *row[5:]) for row in constraints.get(oid, ())),
            published=name in published, replica_identity=identity,
            disabled_triggers=tuple(row[0] for row in triggers.get(oid, ())), row_security=row_security,
            policies=tuple(row[0] for row in policies.get(oid, ())),
            privileges=tuple((role, privilege) for role, privilege in granted.get(oid, ())),
        )  # fmt: skip
    return Catalogue(found)


def grouped(connection: psycopg.Connection[Any], query: str) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for key, *rest in connection.execute(query.encode()).fetchall():
        found.setdefault(key, []).append(tuple(rest))
    return found
