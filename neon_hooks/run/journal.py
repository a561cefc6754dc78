"""What the driver shim wrote down: connections, statements and Postgres' own words about errors.

Django prints no statement and Alembic no SQLSTATE; this is where the report has them from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neon_hooks.facts import DatabaseError, Statement
from neon_hooks.plan import Bookkeeping, Migration

WRITE = re.compile(r"\s*(?:INSERT|UPDATE|MERGE|WITH)\b", re.IGNORECASE)
# What tools and drivers send to know where they are, and what changes nothing.
OF_THE_SESSION = re.compile(
    r"\s*(?:SELECT|SHOW|SET|BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|DISCARD|DEALLOCATE)\b", re.IGNORECASE
)
READS_CATALOGUE = re.compile(
    r"\s*(?:SHOW\b|SELECT\s+(?:pg_catalog\.)?(?:version|current_\w+)\s*\(|SELECT\b.*?\bFROM\s+\"?(?:pg_|information_schema\b))",
    re.IGNORECASE | re.DOTALL,
)
COMMIT = re.compile(r"\s*(?:COMMIT|END)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Journal:
    """``loaded``: the shim ran in a process. ``elsewhere``: connections that did not go to the target."""

    loaded: bool = False
    connections: int = 0
    elsewhere: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    unfinished: str = ""

    @property
    def redirected(self) -> bool:
        return self.loaded and not self.elsewhere and not self.broken


def read(path: Path, *, started: float, redact: Callable[[str], str]) -> Journal:
    """Read a journal, as far as it was written. ``started``: of the run, in seconds of the wall clock."""
    lines = list(_lines(path))
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        by_kind.setdefault(str(line.get("kind")), []).append(line)
    connections = by_kind.get("connect", [])
    statements = by_kind.get("statement", [])
    ended = {(line.get("pid"), line.get("number")) for line in statements}
    open_ones = [x for x in by_kind.get("begin", []) if (x.get("pid"), x.get("number")) not in ended]
    return Journal(
        loaded=bool(by_kind.get("loaded")),
        connections=len(connections),
        elsewhere=tuple(str(line.get("to")) for line in connections if not line.get("ours")),
        broken=tuple(str(line.get("what")) for line in by_kind.get("broken", [])),
        statements=tuple(_statements(_with_refused(statements, by_kind.get("refused", [])), started, redact)),
        unfinished=redact(str(open_ones[-1].get("sql"))) if open_ones else "",
    )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.split("\n"):
        try:
            value = json.loads(line)
        except ValueError:
            continue  # the last line of a process that was killed
        if isinstance(value, dict):
            yield value


def _with_refused(statements: list[dict[str, Any]], refused: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Errors that no statement reports: those of statements that were only prepared."""
    reported = {_refusal(line) for line in statements if "error" in line}
    return statements + [line for line in refused if _refusal(line) not in reported]


def _refusal(line: Mapping[str, Any]) -> tuple[Any, ...]:
    error = line.get("error")
    words = error if isinstance(error, dict) else {}
    return line.get("pid"), words.get("sqlstate"), words.get("message")


def _statements(
    lines: Iterable[dict[str, Any]], started: float, redact: Callable[[str], str]
) -> Iterator[Statement]:
    numbers: dict[tuple[Any, ...], int] = {}
    for line in sorted(lines, key=lambda line: float(line.get("at", 0))):
        # Counted per connection of a process; the facts count them through.
        key = line.get("pid"), line.get("connection"), line.get("transaction")
        number = numbers.setdefault(key, len(numbers) + 1)
        rows = line.get("rows")
        yield Statement(
            sql=redact(str(line.get("sql", ""))),
            started_ms=round((float(line.get("at", started)) - started) * 1000, 3),
            ms=float(line.get("ms", 0)),
            transaction=number if line.get("transaction") else 0,
            rows=rows if isinstance(rows, int) and rows >= 0 else None,
            error=_error(line["error"], redact) if isinstance(line.get("error"), dict) else None,
            params=redact(str(line.get("params", ""))),
            frames=tuple((str(path), int(number)) for path, number in line.get("frames", ())),
        )


def _error(fields: Mapping[str, Any], redact: Callable[[str], str]) -> DatabaseError:
    position = str(fields.get("position") or "0")
    words = {key: redact(str(fields.get(key) or "")) for key in ("message", "detail", "hint", "context")}
    return DatabaseError(
        sqlstate=str(fields.get("sqlstate") or ""),
        position=int(position) if position.isdigit() else 0,
        **words,
    )


def attribute(
    statements: Sequence[Statement],
    history: Sequence[Migration],
    bookkeeping: Bookkeeping,
    *,
    applied: frozenset[str] | None = None,
) -> tuple[Statement, ...]:
    """The same statements, each with the path of the migration that sent it, "" where that is unknown. Pure.

    A tool writes its bookkeeping when a migration is through, so what came before the write of an id is
    that id's. What comes after the last write is the next migration's: the one that failed. Which one
    that is when nothing was written at all, only ``applied`` says: the ids recorded before the run.
    Where the write ``begins`` a migration, what follows it is that id's. Statements about the bookkeeping
    itself are nobody's, and neither is what a tool asks before it begins: which server this is, which
    tables there are.
    """
    pending = [migration for migration in history if migration.id not in (applied or ())]
    table = re.compile(rf"(?<!\w){re.escape(bookkeeping.table)}(?:_lock)?(?!\w)")
    paths: list[str] = [""] * len(statements)
    waiting: list[int] = []
    last: Migration | None = None
    closing = 0
    for number, statement in enumerate(statements):
        if not table.search(f"{statement.sql} {statement.params}"):
            if last and closing and statement.transaction == closing and COMMIT.match(statement.sql):
                paths[number] = last.path
            else:
                waiting.append(number)
            continue
        written = _written(statement, pending)
        if written:
            finished = last if bookkeeping.begins else written
            _assign(paths, _without_questions(waiting, statements), finished.path if finished else "")
            waiting, last = [], written
            closing = 0 if bookkeeping.begins else statement.transaction
            pending.remove(written)
        elif not (bookkeeping.begins and last):
            # It still looks for what there is to do, if all that came before was about the session.
            if all(OF_THE_SESSION.match(statements[each].sql) for each in waiting):
                waiting = []
    following = _next(history, pending, last, applied)
    _assign(
        paths, _without_questions(waiting, statements), last.path if bookkeeping.begins and last else following
    )
    known = {migration.path for migration in history}
    return tuple(_placed(statement, path, known) for statement, path in zip(statements, paths, strict=True))


def _without_questions(waiting: Sequence[int], statements: Sequence[Statement]) -> Sequence[int]:
    """Without the catalogue reads at the beginning, unless they are all that there is."""
    first = next((n for n, each in enumerate(waiting) if not READS_CATALOGUE.match(statements[each].sql)), 0)
    return waiting[first:]


def _placed(statement: Statement, path: str, known: Set[str]) -> Statement:
    """With the migration and its line: what the code itself showed is certain, the rest was inferred."""
    path, line = next((frame for frame in statement.frames if frame[0] in known), (path, 0))
    return replace(statement, path=path, line=line)


def _assign(paths: list[str], numbers: Sequence[int], path: str) -> None:
    for number in numbers:
        paths[number] = path


def _next(
    history: Sequence[Migration],
    pending: Sequence[Migration],
    last: Migration | None,
    applied: frozenset[str] | None,
) -> str:
    """The path of the migration that comes after ``last``, as far as that can be known."""
    if applied is not None:
        return pending[0].path if pending else ""
    if last is None:
        return ""
    after = history[history.index(last) + 1 :]
    return next((migration.path for migration in after if migration in pending), "")


def _written(statement: Statement, pending: Sequence[Migration]) -> Migration | None:
    """The pending migration that a write names first: an UPDATE names the new one, then the old."""
    if statement.error or not WRITE.match(statement.sql):
        return None
    text = f"{statement.sql} {statement.params}"
    places = {
        match.start(): m
        for m in pending
        for match in [_mention(m.id).search(text) or (m.row and _mention(m.row).search(text))]
        if match
    }
    return places[min(places)] if places else None


def _mention(id: str) -> re.Pattern[str]:
    # "app.name" is written as two values: any characters but those of words may stand between the parts.
    return re.compile(r"(?<!\w)" + r"\W+".join(map(re.escape, re.findall(r"\w+", id))) + r"(?!\w)")
