"""A conversation with one ``git cat-file --batch``: names resolved and contents read, without more processes.

Part of git.py, which owns the process's environment; nothing here knows what the objects are for.
The object's name goes over standard input, so it can never be taken for an option.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass

from neon_hooks.errors import Unavailable

FOUND = re.compile(rb"([0-9a-f]{40,64}) ([a-z]+) (\d+)\n")  # gitformat: "<oid> SP <type> SP <size> LF"
UNASKABLE = re.compile(r"[\0\r\n]")  # would end the request, so no object can have such a name


@dataclass(frozen=True)
class Object:
    oid: str
    kind: str
    content: bytes


class Objects:
    """``start`` starts the process. It is called at the first question, and again if the process died."""

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self._start = start
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def find(self, name: str) -> Object | None:
        """The object that ``name`` (any revision syntax of gitrevisions(7)) stands for, or None.

        Raises Unavailable when git does not answer.
        """
        if not name or UNASKABLE.search(name):
            return None
        with self._lock:
            for attempt in (1, 2):
                try:
                    return self._ask(name)
                except (BrokenPipeError, EOFError):
                    # A Ctrl-C reaches git too, and the clean-up after it may still have questions.
                    self._stop()
                except BaseException:
                    # The rest of an answer that was not read would be taken for the next one.
                    self._stop()
                    raise
        raise Unavailable("git cat-file ended before it answered", fix="run `git fsck` in this repository")

    def _ask(self, name: str) -> Object | None:
        if self._process is None:
            self._process = self._start()
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(name.encode("utf-8", "surrogateescape") + b"\n")
        self._process.stdin.flush()
        header = self._process.stdout.readline()
        if not header.endswith(b"\n"):
            raise EOFError
        found = FOUND.fullmatch(header)
        if not found:
            return None  # "<name> missing" or "<name> ambiguous"
        size = int(found[3])
        content = self._process.stdout.read(size + 1)
        if len(content) != size + 1:
            raise EOFError
        return Object(found[1].decode(), found[2].decode(), content[:-1])

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass  # an unsent question

    def close(self) -> None:
        """End the process. Asking again afterwards starts a new one."""
        with self._lock:
            self._stop()
