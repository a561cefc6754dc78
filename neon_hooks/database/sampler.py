"""Who holds which table: pg_locks, looked at every few milliseconds by a session of its own.

The only witness of locks that are gone when a statement's answer comes: autocommit, several statements in one
message, CONCURRENTLY, VACUUM FULL. The loop runs on the server, as a round trip to it may take 100 ms, and
each look is a transaction of its own: CREATE INDEX CONCURRENTLY waits for whoever holds an old snapshot
(manual, "Building Indexes Concurrently"). Only a change is reported, and a sign of life every second.

Nothing here raises while it looks: what went wrong is in ``failure``, and the evidence is partial.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psycopg
from psycopg.errors import Diagnostic

from neon_hooks.database.clock import Clock, measure
from neon_hooks.database.connect import Connection, connect
from neon_hooks.database.events import FIRST_OID, SQLSTATE
from neon_hooks.dsn import Dsn

SHORTEST_PAUSE = 0.01  # seconds
# Pauses are at least so many times as long as a look took (the shorter one of the last two, as the first has to be
# planned): a listing keeps other sessions from taking locks.
PAUSE_SHARE = 20
SIGN_OF_LIFE = 1.0  # seconds
LONGEST_RUN = 4 * 3600  # seconds; should we vanish without the server noticing, the loop ends all the same
STOP_SECONDS = 2.0  # for each of the two ways to stop it
SETTINGS = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "transaction_timeout": "0",  # since 17
    "search_path": "pg_catalog",
    "jit": "off",
}
SET = "select set_config(s.name, v.value, false) from pg_catalog.pg_settings s join (values {}) v(name, value) using (name)"

# The pause is a block of its own, so that cancelling ends the loop in order, after a last look. COMMIT must be
# outside of it: an EXCEPTION block is a subtransaction (manual, 41.8).
LOOP = f"""
do $loop$
declare
  here oid := (select d.oid from pg_database d where d.datname = current_database());
  began timestamptz;
  last timestamptz := clock_timestamp();
  finish timestamptz := last + {LONGEST_RUN} * interval '1 second';
  told timestamptz := '-infinity';
  gap interval := '0';
  cost interval := '0';
  earlier interval;
  looks bigint := 0;
  before text := '';
  held text;
  done boolean := false;
begin
  loop
    began := clock_timestamp();
    earlier := cost;
    select coalesce(string_agg(l.pid || ',' || l.relation || ',"' || l.mode || '",' || l.granted, '],['
        order by l.pid, l.relation, l.mode, l.granted), '')
      into held
      from pg_locks l
      where l.locktype = 'relation' and l.database = here and l.pid <> pg_backend_pid()
        and l.relation between {FIRST_OID} and {{max_oid}};
    looks := looks + 1;
    gap := greatest(gap, began - last);
    if held <> before or done or began >= told + {SIGN_OF_LIFE} * interval '1 second' then
      raise info using errcode = '{SQLSTATE}', message = '{{"at":' || extract(epoch from began) || ',"since":'
        || extract(epoch from last) || ',"gap":' || extract(epoch from gap) || ',"looks":' || looks || ',"locks":'
        || case when held = before then 'null' when held = '' then '[]' else '[[' || held || ']]' end || '}}';
      before := held;
      told := began;
      gap := '0';
      looks := 0;
    end if;
    last := began;
    cost := clock_timestamp() - began;
    commit;
    exit when done or began > finish;
    begin
      perform pg_sleep(greatest({SHORTEST_PAUSE}, extract(epoch from least(cost, earlier)) * {PAUSE_SHARE}));
    exception when query_canceled then
      done := true;
    end;
  end loop;
end
$loop$
"""

Held = tuple[int, int, str]


@dataclass(frozen=True)
class Sample:
    """The locks that are held ``at`` this moment: (pid, oid of the relation, mode). Until the next sample every
    look saw the same. What is new was taken between ``since``, the look before, and ``at``; what is gone was
    released in that time. Seconds by the server's clock.
    """

    at: float
    since: float
    locks: frozenset[Held]
    waiting: frozenset[Held] = frozenset()


class Sampler:
    """Looks from ``start`` (or ``with``) until ``stop``. The threads are daemons and hold up no exit.

    ``max_oid``: relations that came later are left out. ``samples`` grows while it looks, ``looks`` counts
    them all. ``largest_gap`` is the longest time in seconds between two looks so far, ``looked_until`` the
    moment of the last one that was reported. ``failure`` says why it ended before it was stopped.
    """

    def __init__(self, dsn: Dsn, max_oid: int) -> None:
        self.dsn = dsn
        self.max_oid = max_oid
        self.samples: list[Sample] = []
        self.clock = Clock()
        self.looks = 0
        self.looked_until = 0.0
        self.largest_gap = 0.0
        self.failure = ""
        self._control: Connection | None = None
        self._looking: Connection | None = None
        self._told = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lock sampler", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns at once; see ``wait``."""
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Until the first look was reported; False when it was not, within ``seconds`` or ever."""
        self._told.wait(seconds)
        return self.looks > 0

    def stop(self) -> None:
        """Take a last look and end, in one round trip; where the server does not answer, after a few seconds.

        Does nothing when it is stopped already.
        """
        if self._stopping.is_set() or self._thread.ident is None:
            return
        self._stopping.set()
        helper = threading.Thread(target=self._cancel, name="lock sampler's end", daemon=True)
        helper.start()
        self._join(helper)
        for connection in (self._looking, self._control):
            _cut(connection)
        if self._join(helper):
            for connection in (self._looking, self._control):
                if connection is not None:
                    connection.close()
        else:
            self.failure = self.failure or "the server does not answer"

    def _join(self, helper: threading.Thread) -> bool:
        until = time.monotonic() + STOP_SECONDS
        for thread in (self._thread, helper):
            thread.join(max(0.0, until - time.monotonic()))
        return not self._thread.is_alive() and not helper.is_alive()

    def _cancel(self) -> None:
        """Through a session that is open already: a cancel request would have to open one."""
        if self._control is not None and self._looking is not None:
            with suppress(psycopg.Error):
                self._control.execute("select pg_catalog.pg_cancel_backend(%s)", (self._looking.info.backend_pid,))

    def _run(self) -> None:
        try:
            self._looking = connect(self.dsn)
            self._control = connect(self.dsn)
            self.clock = measure(self._control)
            values = ", ".join(f"('{name}', '{value}')" for name, value in SETTINGS.items())
            self._looking.execute(SET.format(values).encode())
            self._looking.add_notice_handler(self._hear)
            if not self._stopping.is_set():
                self._looking.execute(LOOP.replace("{max_oid}", str(self.max_oid)).encode())
        except psycopg.errors.QueryCanceled:
            pass  # it was looking, and not in a pause
        except psycopg.Error as error:
            if not self._stopping.is_set():
                self.failure = str(error).strip().partition("\n")[0] or type(error).__name__
        finally:
            self._told.set()

    def _hear(self, notice: Diagnostic) -> None:
        if notice.sqlstate != SQLSTATE:
            return
        said = json.loads(notice.message_primary or "")
        self.looks += said["looks"]
        self.largest_gap = max(self.largest_gap, said["gap"])
        self.looked_until = said["at"]
        if said["locks"] is not None:
            locks: dict[bool, set[Held]] = {True: set(), False: set()}
            for pid, relation, mode, granted in said["locks"]:
                locks[granted].add((pid, relation, mode))
            sample = Sample(said["at"], said["since"], frozenset(locks[True]), frozenset(locks[False]))
            self.samples.append(sample)
        self._told.set()


def _cut(connection: Connection | None) -> None:
    """Wake up whoever waits for an answer on it; closing it under their hands would not be safe."""
    with suppress(OSError, psycopg.Error):
        if connection is not None and not connection.closed:
            with socket.socket(fileno=os.dup(connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)
