"""Signals and the alarm clock: the one place that decides what an interruption does.

While ``interruptible`` is active, SIGINT, SIGTERM and SIGHUP raise Interrupted in the main thread, and
the deadline raises DeadlineExceeded. Inside ``shielded`` neither does: they wait until the block ends
(deleting a test Neon database branch must not be stopped by a second Ctrl-C). git, pre-commit and prek
die at once on Ctrl-C while we live on (pre-commit issue 3619), so nothing here writes to a terminal.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from neon_hooks.deadline import Deadline
from neon_hooks.errors import Interrupted

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
ALARM = getattr(signal, "SIGALRM", None)  # not on Windows: there the deadline is checked between steps

_shields = 0
_stopping = False
_pending: list[BaseException] = []


def _raise_or_keep(error: BaseException) -> None:
    """One interruption is enough: a second one could only break off the clean-up that the first began.

    They often come in pairs (a closed terminal, a parent that passes its own on), and no ``finally`` or
    ``__exit__`` can shield itself against what arrives before its first line.
    """
    global _stopping
    if _shields:
        _pending.append(error)
        return
    if _stopping:
        return
    _stopping = isinstance(error, Interrupted)
    raise error


@contextmanager
def interruptible(deadline: Deadline) -> Iterator[None]:
    """Turn signals and the end of ``deadline`` into exceptions. Only for the main thread."""

    def on_signal(signum: int, frame: FrameType | None) -> None:
        _raise_or_keep(Interrupted(signum))

    def on_alarm(signum: int, frame: FrameType | None) -> None:
        _raise_or_keep(deadline.exceeded("the test Neon database branch and the migration tool"))

    global _stopping
    _stopping = False
    _pending.clear()
    previous = {signum: signal.signal(signum, on_signal) for signum in SIGNALS}
    if ALARM is not None:
        previous[ALARM] = signal.signal(ALARM, on_alarm)
        signal.setitimer(signal.ITIMER_REAL, max(0.001, deadline.remaining()))
    try:
        yield
    finally:
        if ALARM is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for signum, handler in previous.items():
            signal.signal(signum, handler)


@contextmanager
def shielded() -> Iterator[None]:
    """Let a clean-up finish: what arrives meanwhile is raised when the outermost block ends.

    An exception of the block itself wins, as it is what needs to be said.
    """
    global _shields
    _shields += 1
    try:
        yield
    finally:
        _shields -= 1
    if not _shields and _pending:
        error = _pending[0]
        _pending.clear()
        _raise_or_keep(error)


def ignore_signals() -> None:
    """From here on only the last words are left to say: another Ctrl-C must not turn them into a traceback."""
    for signum in SIGNALS:
        signal.signal(signum, signal.SIG_IGN)
