"""Which table a statement creates or changes, by the words it begins with. No parser: only what is certain."""

from __future__ import annotations

import re

from neon_hooks.sqlscript import LETTER

PART = rf'(?:"(?:[^"]|"")+"|{LETTER}[\w$]*)'
NAME = rf"(?P<name>{PART}(?:\s*\.\s*{PART})*)"
# IF NOT EXISTS is left out: such a table may be an old one.
CREATED = re.compile(
    r"CREATE\s+(?:(?:GLOBAL|LOCAL)\s+)?(?:(?:TEMPORARY|TEMP|UNLOGGED)\s+)?TABLE\s+(?!IF\b)"
    rf"{NAME}|CREATE\s+MATERIALIZED\s+VIEW\s+(?!IF\b){NAME.replace('name', 'view')}",
    re.IGNORECASE,
)
CHANGED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"ALTER\s+(?:TABLE|MATERIALIZED\s+VIEW)\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{NAME}",
        r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?"
        rf"(?:{PART}\s+)?ON\s+(?:ONLY\s+)?{NAME}",
        rf"DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?{NAME}",
        rf"(?:REINDEX|CLUSTER|VACUUM\s+FULL|TRUNCATE)\s+(?:TABLE\s+)?(?:ONLY\s+)?{NAME}",
    )
)


def created(statement: str) -> frozenset[str]:
    """The name of the table that is new after ``statement``, as ``changed`` has it; none for any other."""
    match = CREATED.match(statement)
    return frozenset({_plain(match["name"] or match["view"])}) if match else frozenset()


def changed(statement: str) -> str:
    """The table that ``statement`` is about, "" if that is not certain."""
    match = next((match for pattern in CHANGED if (match := pattern.match(statement))), None)
    return _plain(match["name"]) if match else ""


def _plain(name: str) -> str:
    """Without quotes, in lower case where there were none, and without the schema that is the default."""
    parts = [part[0] for part in re.finditer(PART, name)]
    plain = [p[1:-1].replace('""', '"') if p.startswith('"') else p.lower() for p in parts]
    return ".".join(plain[1:] if plain[:-1] == ["public"] else plain)
