"""Where in its file a statement of a run stands, and the statement that failed where only the tool's
own words tell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from neon_hooks.sqlscript import split
from neon_hooks.facts import DatabaseError, Statement, ToolRun


BEFORE = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
# A tool sends these of its own accord, so that their text in the file proves nothing.
CONTROL = re.compile(r"\s*(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|SET|SHOW)\b", re.IGNORECASE)


def located(statements: Sequence[Statement], checkout: Path) -> tuple[Statement, ...]:
    """The same statements, with the line of those whose text is found in their migration's file."""
    texts = {path: _text(checkout, path) for path in {s.path for s in statements} if path}
    return tuple(
        replace(s, line=_line(s, text) if s.path.endswith(".sql") else _line_in_code(s, text))
        if (text := texts.get(s.path)) and not (s.path.endswith(".sql") and s.line)
        else s
        for s in statements
    )


def _line_in_code(statement: Statement, text: str) -> int:
    """The line where the SQL itself begins, which may be below that of the call; else what is known already."""
    sql = statement.sql.strip()
    if not sql or text.count(sql) != 1 or (not statement.line and CONTROL.match(sql)):
        return statement.line
    line = _line(statement, text)
    return line if line >= statement.line else statement.line


def _line(statement: Statement, text: str) -> int:
    """Counted from 1: where Postgres stopped reading, else where the statement begins; 0 if not found."""
    sql = statement.sql if statement.sql in text else statement.sql.strip()
    start = text.find(sql) if sql else -1
    if start < 0:
        return 0
    position = statement.error.position - 1 if statement.error else 0
    return text.count("\n", 0, start + max(_begin(sql), position)) + 1


def _begin(sql: str) -> int:
    """Where the first word stands: a tool may send the comments before it as well."""
    match = BEFORE.match(sql)
    return match.end() if match else 0


def explained(run: ToolRun, error: DatabaseError | None, path: str, checkout: Path) -> ToolRun:
    """The run with its failed statement, for a tool that was not watched: ``error`` is from its output.

    ``path`` is the migration that failed. If its file has several statements and Postgres did not say
    where it stopped, the statement is the one that the tool quotes in the error's context, else the whole
    file, which is how such tools send it.
    """
    if not run.exit_code or run.failed or error is None:
        return run
    if not error.sqlstate or not path.endswith(".sql"):  # the tool's own refusal: nothing was sent
        return replace(run, statements=(*run.statements, Statement(sql="", path=path, error=error)))
    text = _text(checkout, path)
    parts = [part for part in split(text) if part.kind == "sql"]
    quoted = [part for part in parts if part.text.strip() in error.context]
    known = parts if len(parts) == 1 else quoted
    line, sql = (known[0].line, known[0].text) if known else (1, text.strip())
    if error.position and not quoted:
        line = text.count("\n", 0, error.position - 1) + 1
        sql = next((p.text for p in reversed(parts) if p.line <= line), sql)
    failed = Statement(sql=sql, path=path, line=line, error=error)
    return replace(run, statements=(*run.statements, failed))


def _text(checkout: Path, path: str) -> str:
    try:
        return (checkout / path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
