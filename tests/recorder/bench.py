"""The flight recorder's part of ``make bench``: the same work with and without it, side by side.

Ratios within one run on one machine; the two kinds of run take turns, so that what else the machine does
hits both. NEON_HOOKS_BENCH_COPY_MB=1000 is the full size of the COPY.

Next to a server on the same machine, where a small DDL statement takes 0.2 ms, any witness shows. Two rows say
what the least possible ones cost there: a relay that copies bytes and knows no protocol, and an event trigger
that says one word. Another says what is left of it with the server as far away as a database in the cloud is.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from neon_hooks.database.connect import connect
from neon_hooks.database.events import SQLSTATE
from neon_hooks.database.watchers import install
from neon_hooks.database.witnesses import witnesses
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator
from neon_hooks.recorder import Recorder
from neon_hooks.trials.flight import counting

COPY_MB = int(os.environ.get("NEON_HOOKS_BENCH_COPY_MB", "100"))
DDL = 6000
GROWTH = (1000, 3000, 6000, 12000)
ROUNDS = 3
WAY_MS = 1.0  # from here to a server that is near, and as much back
NUMBERS = count(1)
Work = Callable[[Dsn], object]
Around = Callable[[Dsn], AbstractContextManager[Dsn]]  # what is done around the work, and where the work connects


@dataclass(frozen=True)
class Measured:
    direct: float
    recorded: float

    @property
    def ratio(self) -> float:
        return self.recorded / self.direct


def measure(
    main: Dsn, work: Work, set_up: str = "", rounds: int = ROUNDS, around: Around | None = None, way_ms: float = 0.0
) -> Measured:
    """Seconds of ``work`` without and with ``around``: the least of several runs that take turns. Both with the
    server ``way_ms`` away.
    """
    spent: tuple[list[float], list[float]] = [], []
    for _ in range(rounds):
        for side, surroundings in enumerate((nullcontext[Dsn], around or recorded)):
            name = f"bench_{next(NUMBERS)}"
            _run(main, f"create database {name}")
            dsn = replace(main, database=name)
            _run(dsn, set_up)
            with relay(dsn, way_ms / 1000) if way_ms else nullcontext(dsn) as server, surroundings(server) as here:
                spent[side].append(_seconds(work, here))
            _run(main, f"drop database {name} with (force)")
    return Measured(min(spent[0]), min(spent[1]))


@contextmanager
def recorded(dsn: Dsn) -> Iterator[Dsn]:
    """The recorder and all its witnesses."""
    with witnesses(dsn, Deadline.after(600)) as seen:
        with Recorder(dsn, snapshot=seen.snapshot, count=counting) as recorder:
            yield recorder.dsn


@contextmanager
def relay(dsn: Dsn, way: float = 0.0) -> Iterator[Dsn]:
    """The least that anything between tool and server costs: bytes are copied, ``way`` seconds later."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, dsn, way), daemon=True).start()
        yield replace(dsn, port=listening.getsockname()[1])


def _accept(listening: socket.socket, dsn: Dsn, way: float) -> None:
    while True:
        try:
            near = listening.accept()[0]
        except OSError:
            return
        far = socket.create_connection((dsn.host, dsn.port))
        threading.Thread(target=_copy, args=(near, far, way), daemon=True).start()


def _copy(near: socket.socket, far: socket.socket, way: float) -> None:
    opposite = {near: far, far: near}
    on_its_way: deque[tuple[float, socket.socket, bytes]] = deque()
    with near, far:
        for side in opposite:
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            patience = max(0.0, on_its_way[0][0] - time.monotonic()) if on_its_way else None
            for side in select.select(list(opposite), (), (), patience)[0]:
                on_its_way.append((time.monotonic() + way, opposite[side], side.recv(1 << 16)))
            while on_its_way and on_its_way[0][0] <= time.monotonic():
                _, to, data = on_its_way.popleft()
                if not data:
                    return
                to.sendall(data)


@contextmanager
def one_word(dsn: Dsn) -> Iterator[Dsn]:
    """The least that an event trigger costs that tells anything at all."""
    with closing(connect(dsn)) as connection:
        install(connection, {"ddl": f"begin raise info using errcode = '{SQLSTATE}', message = 'x'; end"})
    yield dsn


def _run(dsn: Dsn, sql: str) -> None:
    with closing(connect(dsn)) as connection:
        connection.execute(sql.encode())


def _seconds(work: Work, dsn: Dsn) -> float:
    began = time.monotonic()
    work(dsn)
    return time.monotonic() - began


TABLES = 300
FILL = "".join(f"create table t{number} (id int primary key);" for number in range(TABLES))
ROWS = 5000
WITH_ROWS = FILL + "".join(
    f"insert into t{number} select generate_series(1, {ROWS});" for number in range(TABLES)
)
STEPS = (
    "alter table t{table} add column c{n} int not null default 0;\n",
    "create index i{n} on t{table} (c{n});\n",
    "alter table t{table} add constraint k{n} check (c{n} >= 0);\n",
    "alter table t{table} alter column c{n} set default 1;\n",
)


def ddl(statements: int) -> Work:
    """One transaction of changes to tables that exist, sent by psql one by one."""
    changes = [(number // len(STEPS), STEPS[number % len(STEPS)]) for number in range(statements)]
    script = "".join(step.format(n=n, table=n % TABLES) for n, step in changes)

    def work(dsn: Dsn) -> None:
        psql = ("psql", "-qX1", "-v", "ON_ERROR_STOP=1", "-f", "-", dsn.uri())
        subprocess.run(psql, input=script, text=True, check=True, stderr=subprocess.DEVNULL)  # the trigger's words

    return work


def copy(command: str) -> Work:
    def work(dsn: Dsn) -> None:
        subprocess.run(("psql", "-qX", dsn.uri(), "-c", command), check=True)

    return work


def row(what: str, measured: Measured, target: str = "") -> None:
    print(f"  {what:<50} {measured.direct:>7.2f} s {measured.recorded:>7.2f} s   {measured.ratio:>5.2f}{target}", flush=True)


def main() -> int:
    with Emulator() as emulator, tempfile.TemporaryDirectory() as home:
        base, rows = emulator.main, Path(home) / "rows"
        with rows.open("wb") as file:
            file.writelines(b"%08d\t%s\n" % (number, b"x" * 90) for number in range(COPY_MB * 10_000))
        table = "create unlogged table big (id int, v text)"
        filled = f"{table}; insert into big select i, repeat('x', 90) from generate_series(1, {COPY_MB * 10_000}) i"
        rounds = ROUNDS if COPY_MB <= 200 else 1
        print("The flight recorder (elapsed time without it, with it, ratio)")
        row(f"COPY in, {COPY_MB} MB in rows of 100 bytes", measure(base, copy(f"\\copy big from {rows}"), table, rounds), "  (target 1.2)")
        row(f"COPY out, {COPY_MB} MB", measure(base, copy("\\copy big to /dev/null"), filled, rounds), "  (target 1.2)")
        for statements in GROWTH:
            row(f"{statements} DDL statements in one transaction", measure(base, ddl(statements), FILL, rounds=2))
        row(f"{DDL} DDL statements, tables of {ROWS} rows", measure(base, ddl(DDL), WITH_ROWS, rounds=1), "  (target 1.1)")
        row(f"{DDL} DDL statements, server {WAY_MS:.0f} ms away", measure(base, ddl(DDL), FILL, 1, way_ms=WAY_MS), "  (target 1.1)")
        row(f"{DDL} DDL statements, bytes copied and nothing else", measure(base, ddl(DDL), FILL, around=relay))
        row(f"{DDL} DDL statements, event trigger of one word", measure(base, ddl(DDL), FILL, around=one_word))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
