"""Writing where the reader may be gone.

git and pre-commit die at once on Ctrl-C, while we still delete the test Neon database branch; from then
on every write raises EIO (a terminal) or EPIPE (a pipe). Losing the text is right then, failing is not.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

from neon_hooks.errors import UsageError


def say(text: str) -> None:
    """Print ``text`` with a newline on standard output, if somebody still reads it."""
    _write(sys.stdout, text)


def complain(text: str) -> None:
    """Print ``text`` with a newline on standard error, likewise."""
    _write(sys.stderr, text)


def _write(stream: TextIO, text: str) -> None:
    try:
        print(text, file=stream, flush=True)
    except UnicodeEncodeError:
        _write(stream, text.encode("ascii", "backslashreplace").decode())
    except (OSError, ValueError):  # ValueError: the stream is closed
        _forget(stream)


def _forget(stream: TextIO) -> None:
    """Point the stream nowhere, so that the interpreter's own flush at exit does not fail, too."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return


def save(file: Path, text: str) -> None:
    """Write ``text`` to ``file``. Raises UsageError naming it when that is impossible."""
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}", fix="choose another --output") from None
