"""The flight recorder's part of ``make bench``: the same work with and without it, side by side.

Ratios within one run on one machine; the two kinds of run take turns, so that what else the machine does
hits both. NEON_HOOKS_BENCH_COPY_MB=1000 is the full size of the COPY.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from neon_hooks.database.connect import connect
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
NUMBERS = count(1)
Work = Callable[[Dsn], object]


@dataclass(frozen=True)
class Measured:
    direct: float
    recorded: float

    @property
    def ratio(self) -> float:
        return self.recorded / self.direct


def measure(main: Dsn, work: Work, set_up: str = "", rounds: int = ROUNDS) -> Measured:
    """Seconds of ``work`` without and with the recorder and all its witnesses: the least of several runs that
    take turns.
    """
    spent: tuple[list[float], list[float]] = [], []
    for _ in range(rounds):
        for side in (0, 1):
            name = f"bench_{next(NUMBERS)}"
            _run(main, f"create database {name}")
            dsn = replace(main, database=name)
            _run(dsn, set_up)
            if side:
                with witnesses(dsn, Deadline.after(600)) as seen:
                    with Recorder(dsn, snapshot=seen.snapshot, count=counting) as recorder:
                        spent[1].append(_seconds(work, recorder.dsn))
            else:
                spent[0].append(_seconds(work, dsn))
            _run(main, f"drop database {name} with (force)")
    return Measured(min(spent[0]), min(spent[1]))


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
        subprocess.run(psql, input=script, text=True, check=True)

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
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
