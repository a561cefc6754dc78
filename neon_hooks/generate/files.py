"""Steps become files: numbered names, transactions, timeouts, and the place for an acknowledgement. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from neon_hooks.database.counting import would_lose
from neon_hooks.generate.gentle import Step, dotted, quoted
from neon_hooks.systems.schema import MARK

NUMBER = re.compile(r"(\d+)[^/]*\.sql$", re.IGNORECASE)
LOCK_TIMEOUT = "3s"
CONCURRENTLY = re.compile(r"\s*(?:create|drop)\s+(?:unique\s+)?index\s+concurrently\b", re.IGNORECASE)
ROUTINE = re.compile(r"\s*create\s+(?:or\s+replace\s+)?(?:function|procedure)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Loss:
    """What is gone afterwards: a table, or with ``column`` one of its columns, and how many values it holds."""

    schema: str
    table: str
    column: str
    values: int

    def __str__(self) -> str:
        what = "value" if self.values == 1 else "values"
        column = f".{quoted(self.column)}" if self.column else ""
        return f"{self.values} {what} of {dotted((self.schema, self.table))}{column}"


@dataclass(frozen=True)
class Written:
    """One file of the migration."""

    path: str
    text: str


def written(
    steps: Sequence[Step], *, directory: str, taken: Iterable[str], name: str, schema: str, lost: Sequence[Loss], wrapped: bool
) -> list[Written]:
    """``taken`` are the names that are there. ``wrapped``: whoever runs the files puts a transaction around each."""
    numbers = [match for each in taken if (match := NUMBER.match(each.rpartition("/")[2]))]
    width = max([4, *(len(match[1]) for match in numbers)])
    number = max([0, *(int(match[1]) for match in numbers)])
    files = []
    for step in steps:
        number += 1
        suffix = f"_{step.what}" if step.what else ""
        path = f"{directory}/{number:0{width}d}_{name}{suffix}.sql".lstrip("/")
        files.append(Written(path, _text(step, schema, lost, wrapped)))
    return files


def _text(step: Step, schema: str, lost: Sequence[Loss], wrapped: bool) -> str:
    own = step.transaction and not wrapped
    local = "LOCAL " if step.transaction else ""
    # An index that is built CONCURRENTLY keeps nobody waiting while it waits for others.
    timeout = "0" if any(CONCURRENTLY.match(each) for each in step.statements) else f"'{LOCK_TIMEOUT}'"
    lines = [f"{MARK} {schema}. Edit it where you know better; it is tried and compared all the same.", ""]
    lines += ["BEGIN;"] if own else []
    lines.append(f"SET {local}lock_timeout = {timeout};")
    if any(ROUTINE.match(statement) for statement in step.statements):
        # Their bodies may speak of what comes later in the file.
        lines.append(f"SET {local}check_function_bodies = off;")
    lines.append("")
    for statement in step.statements:
        lines += _acknowledgement(statement, lost)
        lines.append(f"{statement};")
    lines += ["", "COMMIT;"] if own else []
    return "\n".join(lines) + "\n"


def _acknowledgement(statement: str, lost: Sequence[Loss]) -> list[str]:
    """A place, not the thing itself: nothing but a person may write it."""
    drops = {
        (target.schema or "public", target.relation, target.column)
        for target in would_lose(statement)
        if target.kind in ("drop table", "drop column")
    }
    gone = [loss for loss in lost if (loss.schema, loss.table, loss.column) in drops]
    if not gone:
        return []
    return [
        f"-- This takes away {', '.join(map(str, gone))}. The push is blocked until the next line is a comment of this form:",
        "-- (here)  neon-hooks: accept data-dropped because REASON",
    ]


def slug(words: str) -> str:
    """A file name out of ``words``."""
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:60] or "schema"
