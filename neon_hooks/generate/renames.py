"""What may have been renamed, and what somebody says was renamed. Pure.

A column or table that is gone, beside a new one of the same shape: no catalogue can tell a rename from a
drop. A person decides, with ``OLD=NEW``, or ``OLD=`` for what is really dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from neon_hooks.database.definitions import Definition, Definitions
from neon_hooks.errors import UsageError
from neon_hooks.generate.gentle import quoted
from neon_hooks.sqlreader import home, last, parts

FORM = "say --rename TABLE.OLD=NEW or --rename OLD_TABLE=NEW_TABLE; nothing after the = means that it is dropped"


@dataclass(frozen=True)
class Rename:
    """``old`` is a table or one of its columns, as definitions name it, ``new`` a name, "" for none."""

    old: str
    new: str
    column: bool

    @property
    def statement(self) -> str:
        if self.column:
            return f"ALTER TABLE {home(self.old)} RENAME COLUMN {last(self.old)} TO {quoted(self.new)}"
        return f"ALTER TABLE {self.old} RENAME TO {quoted(self.new)}"


def decided(words: Sequence[str], current: Definitions, desired: Definitions) -> list[Rename]:
    """``OLD=NEW`` as a person writes it. One whose OLD is gone already has been carried out.

    Raises UsageError for what has another form, or names something that the desired schema does not have.
    """
    found = []
    for word in words:
        old, equals, new = word.partition("=")
        if not equals or not parts(old):
            raise UsageError(f"--rename {word}: that is no rename", fix=FORM)
        rename = _rename(parts(old), parts(new)[-1:], current)
        if rename is None:
            continue
        kind = "column" if rename.column else "table"
        wanted = (*parts(rename.old)[:-1], rename.new)
        if rename.new and not any(each.kind == kind and parts(each.name) == wanted for each in desired.values()):
            named = f"{home(rename.old)}.{quoted(rename.new)}"
            raise UsageError(f"--rename {word}: the desired schema has no {kind} {named}", fix=FORM)
        found.append(rename)
    return found


def _rename(old: tuple[str, ...], new: tuple[str, ...], current: Definitions) -> Rename | None:
    names = {(each.kind, parts(each.name)): each.name for each in current.values() if each.kind in ("column", "table")}
    for full in (old, ("public", *old)):
        for kind in ("column", "table"):
            if (kind, full) in names:
                return Rename(names[kind, full], new[0] if new else "", kind == "column")
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
                # Partitions are alike, and come and go.
                partitions = ("partition", old.name) in current and ("partition", new.name) in desired
                if new.kind == "table" and columns and not partitions and _alike(columns, shape(desired, new.name)):
                    yield Candidate(old, new)
        elif old.kind == "column" and ("table", home(old.name)) in desired and ("partition", home(old.name)) not in current:
            for new in come:
                if new.kind == "column" and home(new.name) == home(old.name) and new.text == old.text:
                    yield Candidate(old, new)


def shape(definitions: Definitions, table: str) -> frozenset[tuple[str, str]]:
    return frozenset(
        (last(each.name), each.text) for each in definitions.values() if each.kind == "column" and home(each.name) == table
    )


def _alike(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> bool:
    """Most columns have the same names and types."""
    return 2 * len(one & other) >= max(len(one), len(other), 1)
