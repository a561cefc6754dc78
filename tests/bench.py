"""``make bench``: what our own part costs, as ratios within one run on one machine.

1. A push without migrations: CPU time of the hook against a trivial hook of pre-commit-hooks.
2. A push with a migration: `neon-hooks validate` against the bare sum of its parts, which are the API
   calls and the project's own tool, both called directly.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

from neon_hooks.emulator import Emulator
from tests.environments import environment_of
from tests.fix_git import ISOLATED, Clone
from tests.projects import ALEMBIC

BIN = Path(sys.executable).parent
TIMES = 15


def cpu_ms(argv: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> float:
    """User and system time of the process and its children, the least of several runs."""
    spent = []
    for _ in range(TIMES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(argv, cwd=cwd, env=environ, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent) * 1000


def wall_s(work: Callable[[], object], times: int = 5) -> float:
    """Elapsed seconds, the median of several runs."""
    spent = []
    for _ in range(times):
        began = time.monotonic()
        work()
        spent.append(time.monotonic() - began)
    return statistics.median(spent)
