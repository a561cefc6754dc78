"""Running a tool with the flight recorder between it and the database.

Joins the proxy (recorder/) with the witnesses in the database. States:

    watched    event triggers are installed, the sampler looks, the proxy listens
    flown      the tool has ended, or was ended, and the proxy has broken what it left open
    cleared    the sampler has stopped, the event triggers are gone; only now may the schema be compared
    told       the recording has become statements with locks, rewrites, scans and drops (account.py)

Whatever way the tool ends, the states are gone through to ``cleared``. Where a witness is missing the run
goes on, and the evidence is partial.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from neon_hooks.database.counting import count_sql, would_lose
from neon_hooks.database.witnesses import witnesses
from neon_hooks.dsn import Dsn
from neon_hooks.facts import Catalogue, Evidence, ToolRun
from neon_hooks.recorder import Recorder
from neon_hooks.sqlscript import split
from neon_hooks.trials.account import account
from neon_hooks.trials.notes import Log
from neon_hooks.trials.place import Place

# A quick look before the statement is read token by token: most statements take nothing away.
TAKING = re.compile(r"\b(?:drop|truncate)\b", re.IGNORECASE)
CONVERTED = "change type"  # values stay, or the statement fails


def flight(
    place: Place,
    start: Callable[[Dsn], ToolRun],
    before: Catalogue,
    *,
    redact: Callable[[str], str],
    unrecorded: frozenset[str] = frozenset(),
) -> ToolRun:
    """Start the tool on the recorder's address. ``unrecorded`` are tables whose locks are nobody's concern."""
    if place.unrecorded:
        return _without(start, place, place.unrecorded)
    with witnesses(place.dsn, place.deadline) as seen, ExitStack() as stack:
        recorder = Recorder(place.dsn, snapshot=seen.snapshot, count=counting)
        try:
            stack.enter_context(recorder)
        except OSError as error:
            return _without(start, place, f"no port on this machine could be listened on: {error.strerror}")
        began = time.time()
        run = start(recorder.dsn)
        ended = time.time()
    log = Log(
        recorder.recording, tuple(seen.samples), seen.clock, began, ended, tuple(seen.problems), seen.gap
    )
    return account(run, log, before, redact=redact, unrecorded=unrecorded)


def _without(start: Callable[[Dsn], ToolRun], place: Place, reason: str) -> ToolRun:
    return replace(start(place.dsn), evidence=Evidence.NONE, unrecorded=reason)


def counting(sql: str) -> str:
    """The query that counts what ``sql`` would take away, "" when it takes nothing."""
    if not TAKING.search(sql):
        return ""
    targets = [target for part in split(sql) for target in would_lose(part.text) if target.kind != CONVERTED]
    return count_sql(targets) if targets else ""
