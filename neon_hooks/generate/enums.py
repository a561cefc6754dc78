"""Labels that only come to an enum: ALTER TYPE ADD VALUE, where an engine would make the type anew. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.database.definitions import Definition, Definitions
from neon_hooks.sqlscript import spans


def added_values(current: Definitions, desired: Definitions) -> Iterator[str]:
    """For each enum whose labels stay in their order (https://www.postgresql.org/docs/current/sql-altertype.html)."""
    for key, new in desired.items():
        old = current.get(key)
        if new.kind != "enum" or old is None or old.text == new.text:
            continue
        before, after = (_labels(each) for each in (old, new))
        if [label for label in after if label in before] == before:
            yield from _added(new.name, before, after)


def _labels(enum: Definition) -> list[str]:
    """As they are written: 'it''s', or E'...' with a backslash."""
    return [text for kind, text, _ in spans(enum.create) if kind == "quoted" and not text.startswith('"')]


def _added(name: str, before: list[str], after: list[str]) -> Iterator[str]:
    there = list(before)
    for number, label in enumerate(after):
        if label not in there:
            place = f" AFTER {after[number - 1]}" if number else f" BEFORE {there[0]}" if there else ""
            yield f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS {label}{place}"
            there.append(label)
