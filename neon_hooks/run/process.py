"""A child process that cannot outlive us, hang us, or flood us. Knows nothing about migrations.

It leads a session of its own, so that a signal reaches everything it started, and the terminal's Ctrl-C
does not reach it before we have decided what happens.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from neon_hooks.deadline import Deadline
from neon_hooks.lifetime import shielded

HEAD, TAIL = 64 * 1024, 192 * 1024  # bytes of output that are kept
GRACE = 2.0  # seconds between "please stop" and SIGKILL
LOOK = 0.05  # seconds between two looks at a process that keeps its pipe open
DRAIN = 0.5  # seconds to read what a finished process left in the pipe
TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")


@dataclass(frozen=True)
class Finished:
    """``exit_code`` is negative for a signal, as in subprocess; None when the deadline ended it."""

    exit_code: int | None
    output: str
    seconds: float


class Output:
    """Reads a pipe to its end in a thread, and keeps the first and the last bytes.

    The thread owns the descriptor: a grandchild may hold the other end for ever, and nobody waits for it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._head = bytearray()
        self._tail = bytearray()
        self._lost = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, name="tool output", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(OSError):
            while chunk := os.read(self._descriptor, 65536):
                self._keep(chunk)
        os.close(self._descriptor)

    def _keep(self, chunk: bytes) -> None:
        with self._lock:
            room = HEAD - len(self._head)
            self._head += chunk[:room]
            self._tail += chunk[room:] if room < len(chunk) else b""
            excess = len(self._tail) - TAIL
            if excess > 0:
                del self._tail[:excess]
                self._lost += excess

    def wait(self, seconds: float) -> bool:
        """Whether the end was reached within ``seconds``."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def text(self) -> str:
        with self._lock:
            head, tail, lost = bytes(self._head), bytes(self._tail), self._lost
        if not lost:
            return readable(head + tail)
        # Cut at ends of lines: half a line could hold half a secret, which redaction would not know.
        kept, tail = head[: head.rfind(b"\n") + 1], tail[tail.find(b"\n") + 1 :]
        left_out = lost + len(head) - len(kept)
        return f"{readable(kept)}[... about {left_out} bytes left out ...]\n{readable(tail)}"


def readable(data: bytes) -> str:
    """Text without colours, cursor movements and broken characters; of a progress line its last state."""
    text = TERMINAL.sub("", data.decode("utf-8", "replace")).replace("\r\n", "\n")
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return CONTROL.sub("", "\n".join(lines))


def run(
    argv: Sequence[str], *, directory: Path, environment: Mapping[str, str], deadline: Deadline
) -> Finished:
    """Run to the end or to the deadline. Whatever way this is left, the process group is gone.

    Raises OSError when the program cannot be started; lets through what lifetime.py raises.
    """
    started = time.monotonic()
    process: subprocess.Popen[bytes] | None = None
    output: Output | None = None
    try:
        with shielded():  # a signal between fork and assignment would orphan the process
            process, output = _start(argv, directory, environment)
        while process.poll() is None and deadline.remaining():
            if output.wait(deadline.at_most(LOOK)):  # its end mostly means the process's end
                with suppress(subprocess.TimeoutExpired):
                    process.wait(deadline.at_most(LOOK))
        exit_code = process.poll()
    finally:
        if process:
            with shielded():
                end(process)
    output.wait(DRAIN)
    return Finished(exit_code, output.text(), time.monotonic() - started)


def _start(
    argv: Sequence[str], directory: Path, environment: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], Output]:
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            argv, cwd=directory, env=dict(environment), stdin=subprocess.DEVNULL,
            stdout=writing, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return process, Output(reading)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the whole group to stop, and after a grace make it. Returns when the leader is reaped."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    # Also after the leader's own end: what it left behind would hold a connection to the database.
    _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    process.wait()


def _signal(process: subprocess.Popen[bytes], signum: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signum)
        elif process.poll() is None:
            process.kill()
