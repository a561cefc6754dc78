"""What pg_dump says of a schema, as entries that can be compared. Text in, text out.

Left out, because it cannot matter: the order of the entries, comments of pg_dump's own, empty lines, the
random key of \\restrict, and SET default_tablespace / default_table_access_method, which pg_dump writes
whenever the value before was another. The lines of one entry of grants are sorted: they follow the order in
which the grants were made. Everything else counts: names of constraints, types of sequences, owners.

The order of a table's columns is a case of its own (``Dump.unordered``): ADD COLUMN can only append.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

HEADING = re.compile(r"^--\n-- Name: (.+); Type: (.+); Schema: (.+); Owner: .*\n--\n", re.MULTILINE)
NOISE = re.compile(
    r"^(?:|\\(?:un)?restrict .*|SET default_\w+ = .*;|--|-- PostgreSQL database dump complete)$"
)
GRANTS = ("ACL", "DEFAULT ACL")


@dataclass(frozen=True)
class Entry:
    """An object as pg_dump lists it."""

    kind: str
    schema: str
    name: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.schema}.{self.name}".replace(" -.", " ")


@dataclass(frozen=True)
class Dump:
    entries: tuple[Entry, ...]

    @property
    def unordered(self) -> Dump:
        """With the lines of each table sorted: equal when only the order of columns differs."""
        return Dump(tuple(_sorted(entry) if entry.kind == "TABLE" else entry for entry in self.entries))

    def minus(self, other: Dump) -> list[Entry]:
        """What ``other`` lacks, or has otherwise."""
        return sorted((Counter(self.entries) - Counter(other.entries)).elements(), key=str)

    def same_as(self, other: Dump) -> bool:
        return Counter(self.entries) == Counter(other.entries)


def read(text: str) -> Dump:
    return Dump(tuple(_entries(text)))


def _entries(text: str) -> Iterator[Entry]:
    _, *parts = HEADING.split(text)
    for name, kind, schema, body in zip(*(parts[n::4] for n in range(4)), strict=True):
        lines = [line for line in body.splitlines() if not NOISE.match(line)]
        yield Entry(kind, schema, name, tuple(sorted(lines) if kind in GRANTS else lines))


def _sorted(entry: Entry) -> Entry:
    lines = sorted(line.rstrip(",") for line in entry.lines)
    return Entry(entry.kind, entry.schema, entry.name, tuple(lines))


def differences(found: Dump, wanted: Dump) -> str:
    """For a person: what is there and not wanted (-), what is wanted and not there (+)."""
    gone = [("-", entry) for entry in found.minus(wanted)]
    missing = [("+", entry) for entry in wanted.minus(found)]
    shown = ["\n      ".join((f"{sign} {entry}", *entry.lines)) for sign, entry in gone + missing]
    return "\n".join(shown)
