"""How findings speak of tables, times and statements. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from neon_hooks.checks.sql_text import bare, is_control, says, tag, verb
from neon_hooks.facts import Lost, Statement, UnitFacts
from neon_hooks.findings import counted

QUOTED_LINES = 12
QUOTED_LENGTH = 200
WORD = re.compile(r"\w+")
CHANGES = r"\b(?:ALTER|DROP|RENAME|CREATE)\b"


def shown(table: str) -> str:
    """`orders`, `audit.log`: public is not said."""
    return f"`{table.removeprefix('public.')}`"


def sized(table: str, rows: int | None) -> str:
    return shown(table) if rows is None else f"{shown(table)} ({counted(rows, 'row')})"


def grouped(number: int) -> str:
    """ "1 204 331"."""
    return f"{number:,}".replace(",", " ")


def amount(lost: Lost) -> str:
    """ "12 003 values of `users.nickname`", "about 5 rows of `orders`"."""
    about = "" if lost.exact else "about "
    if not lost.column:
        return f"{about}{counted(lost.values, 'row')} of {shown(lost.relation)}"
    return f"{about}{counted(lost.values, 'value')} of {shown(f'{lost.relation}.{lost.column}')}"


def listed(words: Sequence[str], most: int = 5) -> str:
    """ "a", "a and b", "a, b and 7 more"."""
    more = [f"{len(words) - most} more"] if len(words) > most else []
    said = [*words[:most], *more]
    return " and ".join(filter(None, (", ".join(said[:-1]), *said[-1:])))


def duration(ms: float) -> str:
    """ "31 ms", "4.2 s", "3 min 5 s"."""
    if ms < 999.5:
        return f"{ms:.0f} ms" if ms >= 9.5 else f"{_short(ms)} ms"
    if ms < 59_950:
        return f"{_short(ms / 1000)} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def quoted(statement: Statement) -> str:
    """The statement's first lines."""
    lines = statement.sql.strip().splitlines()
    lines = [line if len(line) <= QUOTED_LENGTH else line[:QUOTED_LENGTH] + " ..." for line in lines]
    more = [f"... ({len(lines) - QUOTED_LINES} more lines)"] if len(lines) > QUOTED_LINES else []
    return "\n".join([*lines[:QUOTED_LINES], *more])


class Places:
    """Where the statements of a unit's first run stand: their file, and which statement of it they are."""

    def __init__(self, unit: UnitFacts) -> None:
        self.unit = unit
        self.numbers: dict[tuple[float, str], int] = {}
        self.causes: dict[tuple[str, str], Statement | None] = {}  # usage.py's
        counts: dict[str, int] = {}
        for statement in unit.first.statements if unit.first else ():
            if not (is_control(statement) or verb(statement) in ("SHOW", "")):  # nor what a tool asks of its session
                counts[statement.path] = counts.get(statement.path, 0) + 1
            self.numbers[_key(statement)] = counts.get(statement.path, 0)

    def details(self, statement: Statement | None) -> dict[str, Any]:
        """The fields of a finding that say where it is."""
        if statement is None:
            return {"path": self.unit.unit.migrations_dir, "system": self.unit.unit.system}
        return {
            "path": statement.path or self.unit.unit.migrations_dir,
            "line": statement.line,
            "system": self.unit.unit.system,
        }

    def naming(self, name: str, pattern: str = "") -> Statement | None:
        """The last statement that names an object, and matches ``pattern``; without its schema, in any case."""
        words = WORD.findall(name.rpartition(".")[2].upper())
        statements = self._by_word.get(words[0], []) if words else []
        return next((s for s in reversed(statements) if says(s, pattern)), None)

    @cached_property
    def _by_word(self) -> Mapping[str, list[Statement]]:
        """The statements that each word occurs in: read once, as a run may have thousands."""
        found = defaultdict(list)
        for statement in self.unit.first.statements if self.unit.first else ():
            for word in set(WORD.findall(bare(statement))):
                found[word].append(statement)
        return found

    @cached_property
    def changing(self) -> Sequence[tuple[Statement, frozenset[str]]]:
        """The statements that ran through and may have changed the schema, with their words, in capitals."""
        statements = self.unit.first.statements if self.unit.first else ()
        kept = [s for s in statements if s.error is None and says(s, CHANGES)]
        return [(statement, frozenset(WORD.findall(bare(statement)))) for statement in kept]

    def found_at(self, statement: Statement | None) -> dict[str, Any]:
        """``details``, with the statement itself."""
        return {**self.details(statement), "quote": quoted(statement) if statement else ""}

    def number(self, statement: Statement) -> int:
        """From 1 within its file; BEGIN, COMMIT, SHOW and the like do not count."""
        return self.numbers.get(_key(statement), 0)

    def name(self, statement: Statement) -> str:
        """ "0042_add_index.py, statement 2: CREATE INDEX"."""
        file = statement.path.rpartition("/")[2]
        how = " CONCURRENTLY" if says(statement, r"^[A-Z ]*\bCONCURRENTLY\b") else ""
        which = f"statement {self.number(statement)}: {tag(statement)}{how}"
        return f"{file}, {which}" if file else which


def _key(statement: Statement) -> tuple[float, str]:
    return statement.started_ms, statement.sql
