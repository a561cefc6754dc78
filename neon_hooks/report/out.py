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


def shows_unicode() -> bool:
    """Whether standard output can take the characters that pictures are drawn with."""
    try:
        "█▒─│".encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def save(file: Path, text: str, *, flag: str = "--output") -> None:
    """Write ``text`` to ``file``. Raises UsageError naming it when that is impossible."""
    _put(file, text, "w", f"choose another {flag}")


def append(file: Path, text: str) -> None:
    """Write ``text`` behind what is in ``file`` already."""
    _put(file, text, "a", "correct GITHUB_STEP_SUMMARY, or unset it")


def _put(file: Path, text: str, mode: str, fix: str) -> None:
    """File names may hold bytes that are not UTF-8 (halves of surrogate pairs); JSON can say those as well."""
    try:
        with file.open(mode, encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text + "\n")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}", fix=fix) from None
