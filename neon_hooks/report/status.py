"""The live line that says what is being waited for, for a person who looks at a terminal.

pre-commit and prek buffer a hook's output and give it a pty nobody looks at, so isatty() of stdout means
nothing: the line goes to /dev/tty, and only when our process group is in the foreground there. pre-commit
has just written "hook name......" without a newline: the cursor must come back to where it was.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType

# IND and RI make room for a line below without moving the column; then save, next line, erase.
SHOW = "\x1bD\x1bM\x1b7\r\n\x1b[K{}\x1b8"
ERASE = "\x1b7\r\n\x1b[K\x1b8"
TTY = "/dev/tty"
QUIET = ("CI", "PREK", "NEON_HOOKS_NO_STATUS", "NO_COLOR")
WIDTH = 78


class StatusLine:
    """Context manager; call it with a text to show. Does nothing where nobody looks."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._fd = -1
        if not any(environ.get(name) for name in QUIET) and environ.get("TERM", "dumb") != "dumb":
            self._fd = _foreground_terminal()

    def __enter__(self) -> StatusLine:
        return self

    def __call__(self, text: str) -> None:
        self._send(SHOW.format(f"  {text} ..."[:WIDTH]))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._send(ERASE)
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _send(self, text: str) -> None:
        if self._fd < 0:
            return
        try:
            os.write(self._fd, text.encode())
        except OSError:  # the terminal is gone
            os.close(self._fd)
            self._fd = -1


def _foreground_terminal() -> int:
    """A descriptor of the terminal if our process group is in the foreground there, else -1."""
    try:
        fd = os.open(TTY, os.O_WRONLY | os.O_NOCTTY)
    except OSError:
        return -1
    try:
        if os.tcgetpgrp(fd) == os.getpgrp():
            return fd
    except (OSError, AttributeError):
        pass
    os.close(fd)
    return -1
