"""The linter squawk (https://squawkhq.com), a program that its package on PyPI brings along.

Found beside this interpreter and nowhere else: another version has other rules (38 came between 2.63 and
2.70), so setup.cfg pins one. Its JSON counts lines from 0 and columns in bytes; here both become places.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from neon_hooks.errors import Unavailable, UsageError

PACKAGE = "squawk-cli"
NAME = "squawk.exe" if os.name == "nt" else "squawk"
FILES_AT_ONCE = 500  # a command line has an end
TIMEOUT = 60.0
END_OF_LINE = re.compile(r"\r\n|\n|\r")
# squawk takes a single statement for one that no transaction holds, whatever it is told.
NOT_ALONE = "\n;select 1;"


@dataclass(frozen=True)
class Options:
    """``excluded`` rules say nothing, ``included`` ones are off unless asked for; version "" is squawk's default."""

    excluded: tuple[str, ...] = ()
    included: tuple[str, ...] = ()
    pg_version: str = ""


@dataclass(frozen=True)
class Said:
    """``at`` is where it begins: the number of characters before it."""

    rule: str
    at: int
    message: str
    help: str = ""


@cache
def binary() -> Path:
    """The program that belongs to this environment. Raises Unavailable if it is gone."""
    found = Path(sysconfig.get_path("scripts")) / NAME
    if not found.is_file():  # installed with --user or --target: the package's own list of files says where
        found = next((path for path in _listed() if path.is_file()), found)
    if not found.is_file():
        raise Unavailable(
            f"squawk is not installed where neon-hooks is: there is no {found}",
            fix="install neon-hooks again, with its dependencies",
        )
    return found


def _listed() -> Iterable[Path]:
    from importlib.metadata import PackageNotFoundError, files

    try:
        return [Path(str(file.locate())) for file in files(PACKAGE) or () if file.name == NAME]
    except PackageNotFoundError:
        return []


def lint(texts: Sequence[str], *, in_transaction: bool, options: Options) -> list[tuple[Said, ...]]:
    """What squawk says of each text. Raises UsageError for a rule that it does not know."""
    found: list[tuple[Said, ...]] = []
    for start in range(0, len(texts), FILES_AT_ONCE):
        found += _lint(texts[start : start + FILES_AT_ONCE], in_transaction, options)
    return found


def _lint(texts: Sequence[str], in_transaction: bool, options: Options) -> list[tuple[Said, ...]]:
    end = NOT_ALONE if in_transaction else ""
    with TemporaryDirectory(prefix="neon-hooks-") as scratch:
        names = [f"{number}.sql" for number in range(len(texts))]
        for name, text in zip(names, texts, strict=True):
            Path(scratch, name).write_bytes((text + end).encode("utf-8", "replace"))
        Path(scratch, "squawk.toml").touch()  # without -c it looks for one in every directory above
        records = _run([*_flags(in_transaction, options), "--", *names], Path(scratch))
    by_name: dict[str, list[Mapping[str, Any]]] = {name: [] for name in names}
    for record in records:
        by_name[record["file"]].append(record)
    return [_said(by_name[name], text) for name, text in zip(names, texts, strict=True)]


def _flags(in_transaction: bool, options: Options) -> list[str]:
    return [
        *("--reporter", "json", "-c", "squawk.toml"),
        *(f"--exclude={rule}" for rule in options.excluded),
        *(f"--include={rule}" for rule in options.included),
        *((f"--pg-version={options.pg_version}",) if options.pg_version else ()),
        *(("--assume-in-transaction",) if in_transaction else ()),
    ]


def _run(argv: Sequence[str], scratch: Path) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(
            [str(binary()), *argv], cwd=scratch, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"squawk could not be run: {error}", fix="install neon-hooks again") from None
    complaint = done.stderr.decode("utf-8", "replace").strip()
    if "invalid value" in complaint:
        reason = complaint.partition("\n")[0].removeprefix("error: ")
        raise UsageError(f".squawk.toml: {reason}", fix="correct the name; squawk's documentation lists its rules")
    try:
        records: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError:
        raise Unavailable(
            f"squawk ended with exit code {done.returncode}: {complaint[-500:]}", fix="report it, please"
        ) from None
    return records


def _said(records: Sequence[Mapping[str, Any]], text: str) -> tuple[Said, ...]:
    starts = [0, *(match.end() for match in END_OF_LINE.finditer(text))]
    return tuple(
        Said(r["rule_name"], _place(text, starts, r["line"], r["column"]), r["message"], r["help"] or "")
        for r in records
    )


def _place(text: str, starts: Sequence[int], line: int, column: int) -> int:
    """How many characters are before (line, column), both from 0, the column in bytes of UTF-8."""
    if line >= len(starts):
        return len(text)  # in what was appended
    end = starts[line + 1] if line + 1 < len(starts) else len(text)
    before = text[starts[line] : end].encode("utf-8", "replace")[:column]
    return starts[line] + len(before.decode("utf-8", "ignore"))
