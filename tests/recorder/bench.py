"""The flight recorder's part of ``make bench``: the same work with and without it, side by side.

Ratios within one run on one machine; the two kinds of run take turns, so that what else the machine does
hits both. NEON_HOOKS_BENCH_COPY_MB=1000 is the full size of the COPY.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from neon_hooks.database.connect import connect
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator
from neon_hooks.recorder import Recorder

COPY_MB = int(os.environ.get("NEON_HOOKS_BENCH_COPY_MB", "100"))
DDL = 6000
GROWTH = (1000, 3000, 6000, 12000)
ROUNDS = 3
SNAPSHOT = (
    "select coalesce(pg_catalog.string_agg(l.relation::text || ':' || l.mode, ','), '') from pg_catalog.pg_locks l"
    " where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation' and l.relation >= 16384"
)
NUMBERS = count(1)
Work = Callable[[Dsn], object]


@dataclass(frozen=True)
class Measured:
    direct: float
    recorded: float

    @property
    def ratio(self) -> float:
        return self.recorded / self.direct


def measure(main: Dsn, work: Work, prepare: Work = lambda dsn: None, rounds: int = ROUNDS) -> Measured:
    """Seconds of ``work`` without and with the recorder, the median of several runs each."""
    direct, recorded = [], []
    for number in range(2 * rounds):
        with database(main) as dsn:
            prepare(dsn)
            if number % 2:
                with Recorder(dsn, snapshot=SNAPSHOT) as recorder:
                    recorded.append(seconds(lambda: work(recorder.dsn)))
            else:
                direct.append(seconds(lambda: work(dsn)))
    return Measured(statistics.median(direct), statistics.median(recorded))
