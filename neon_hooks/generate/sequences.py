"""Where a sequence goes on counting after a migration. Pure.

A schema does not say it, and a comparison of schemas does not see it: the numbers that a new sequence hands out
must not be there already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neon_hooks.database.attempts import Numbering, Stored


def continued(before: Sequence[Numbering], after: Sequence[Numbering], stored: Sequence[Stored], done: Sequence[str]) -> Mapping[str, str]:
    """Statements for new sequences, by name, that fill a column with values: behind the largest, unless ``done`` says where."""
    found = {}
    known = {each.oid for each in before}
    columns = {(column.oid, column.number) for column in stored}
    tables = {column.oid for column in stored}
    for each in after:
        there = any((oid, each.number) in columns if len(each.tables) == 1 else oid in tables for oid in each.tables)
        if each.oid not in known and each.column and there and not _is_set(each.sequence, done):
            most, beyond = ("max", ">=") if each.ascending else ("min", "<=")
            found[each.sequence] = (
                f"SELECT setval({_literal(each.sequence)}, {most}({each.column})) FROM {each.table}"
                f" HAVING {most}({each.column}) {beyond} (SELECT last_value FROM {each.sequence})"
            )
    return found


def restarted(before: Sequence[Numbering], after: Sequence[Numbering], done: Sequence[str]) -> list[str]:
    """Sequences that have been made anew, and whose values are lost."""
    oids = {each.sequence: each.oid for each in before}
    found = {each.sequence for each in after if oids.get(each.sequence, each.oid) != each.oid}
    return sorted(name for name in found if not _is_set(name, done))


def _is_set(sequence: str, done: Sequence[str]) -> bool:
    start = f"SELECT setval({_literal(sequence)}, "
    return any(statement.startswith(start) for statement in done)


def _literal(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
