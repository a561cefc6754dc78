"""What may have been renamed, and what somebody says was renamed. Pure.

A column or table that is gone, beside a new one of the same shape: no catalogue can tell a rename from a
drop. A person decides, with ``OLD=NEW``, or ``OLD=`` for what is really dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from neon_hooks.database.definitions import Definition, Definitions
from neon_hooks.errors import UsageError
from neon_hooks.generate.gentle import IDENT, plain, quoted

import re

FORM = "say --rename TABLE.OLD=NEW or --rename OLD_TABLE=NEW_TABLE; nothing after the = means that it is dropped"


@dataclass(frozen=True)
class Rename:
    """``old`` is a table (``schema.table``) or one of its columns (``schema.table.column``), ``new`` a name, "" for none."""

    old: str
    new: str
    column: bool

    @property
    def statement(self) -> str:
        parts = re.findall(IDENT, self.old)
        if self.column:
            return f"ALTER TABLE {'.'.join(parts[:-1])} RENAME COLUMN {parts[-1]} TO {self.new}"
        return f"ALTER TABLE {self.old} RENAME TO {self.new}"


def decided(words: Sequence[str], current: Definitions, desired: Definitions) -> list[Rename]:
    """``OLD=NEW`` as a person writes it. One whose OLD is gone already has been carried out.

    Raises UsageError for what has another form, or names something that the desired schema does not have.
    """
    found = []
    for word in words:
        old, equals, new = word.partition("=")
        if not equals or not old.strip():
            raise UsageError(f"--rename {word}: that is no rename", fix=FORM)
        rename = _rename(old.strip(), re.findall(IDENT, new.strip())[-1:], current)
        if rename is None:
            continue
        kind = "column" if rename.column else "table"
        home = ".".join(re.findall(IDENT, rename.old)[:-1])
        if rename.new and (kind, f"{home}.{rename.new}") not in desired:
            raise UsageError(f"--rename {word}: the desired schema has no {kind} {home}.{rename.new}", fix=FORM)
        found.append(rename)
    return found


def _rename(old: str, new: list[str], current: Definitions) -> Rename | None:
    parts = re.findall(IDENT, old)
    names = [quoted(part[1:-1].replace('""', '"') if part.startswith('"') else part) for part in parts]
    target = quoted(plain(new[0]).partition(".")[2]) if new else ""
    for home in ([], ["public"]):
        name = ".".join([*home, *names])
        for kind in ("column", "table"):
            if (kind, name) in current:
                return Rename(name, target, kind == "column")
    return None


@dataclass(frozen=True)
class Candidate:
    """Two definitions that could be one and the same."""

    old: Definition
    new: Definition

    @property
    def column(self) -> bool:
        return self.old.kind == "column"


def candidates(current: Definitions, desired: Definitions) -> Iterator[Candidate]:
    gone = [each for key, each in current.items() if key not in desired]
    come = [each for key, each in desired.items() if key not in current]
    for old in gone:
        if old.kind == "table":
            columns = shape(current, old.name)
            for new in come:
                if new.kind == "table" and columns and _alike(columns, shape(desired, new.name)):
                    yield Candidate(old, new)
        elif old.kind == "column" and ("table", home(old.name)) in desired:
            for new in come:
                if new.kind == "column" and home(new.name) == home(old.name) and new.text == old.text:
                    yield Candidate(old, new)


def home(name: str) -> str:
    """The table of a column."""
    return ".".join(re.findall(IDENT, name)[:-1])


def shape(definitions: Definitions, table: str) -> frozenset[tuple[str, str]]:
    return frozenset(
        (re.findall(IDENT, each.name)[-1], each.text) for each in definitions.values() if each.kind == "column" and home(each.name) == table
    )


def _alike(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> bool:
    """Most columns have the same names and types."""
    return 2 * len(one & other) >= max(len(one), len(other), 1)
