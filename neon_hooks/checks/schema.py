"""What the first run made of the tables: questions over the catalogue before and after. Pure.

Tables are the same by OID and columns by number, so a renaming is one (manual, section 52.7, pg_attribute).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from neon_hooks.facts import Column, Constraint, Index, Table, UnitFacts

BOOKKEEPING_LOCKS = ("", "_lock", "lock")  # knex_migrations_lock, databasechangeloglock


@dataclass(frozen=True)
class TableChange:
    """One table that was there before. ``after`` is None when it is gone."""

    before: Table
    after: Table | None

    @cached_property
    def new_indexes(self) -> tuple[Index, ...]:
        known = {index.oid for index in self.before.indexes}
        return tuple(index for index in self.after.indexes if index.oid not in known) if self.after else ()

    @cached_property
    def new_constraints(self) -> tuple[Constraint, ...]:
        """By name as well: a new type of a column makes its constraints anew."""
        known = {constraint.oid for constraint in self.before.constraints}
        names = {constraint.name for constraint in self.before.constraints}
        after = self.after.constraints if self.after else ()
        return tuple(c for c in after if c.oid not in known and c.name not in names)

    @cached_property
    def newly_validated(self) -> tuple[Constraint, ...]:
        """Constraints that all rows meet now, and that were not there, or not known to be met, before."""
        met = {constraint.oid for constraint in self.before.constraints if constraint.validated}
        return tuple(c for c in self.after.constraints if c.validated and c.oid not in met) if self.after else ()

    @cached_property
    def columns(self) -> tuple[tuple[Column, Column | None], ...]:
        """Each column that was there, and what became of it."""
        after = {column.number: column for column in self.after.columns} if self.after else {}
        return tuple((column, after.get(column.number)) for column in self.before.columns)

    @cached_property
    def new_columns(self) -> tuple[Column, ...]:
        known = {column.number for column in self.before.columns}
        return tuple(c for c in self.after.columns if c.number not in known) if self.after else ()

    @cached_property
    def newly_not_null(self) -> tuple[Column, ...]:
        return tuple(after for before, after in self.columns if after and after.not_null and not before.not_null)


def changes(unit: UnitFacts) -> Iterator[TableChange]:
    """Every table of the project that was there before; nothing where the catalogue was not read."""
    if unit.before is None or unit.after is None:
        return
    for oid, table in unit.before.tables.items():
        if not is_bookkeeping(unit, table.name):
            yield TableChange(table, unit.after.tables.get(oid))


def new_tables(unit: UnitFacts) -> Iterator[Table]:
    if unit.before is None or unit.after is None:
        return
    for oid, table in unit.after.tables.items():
        if oid not in unit.before.tables and not is_bookkeeping(unit, table.name):
            yield table


def is_bookkeeping(unit: UnitFacts, table: str) -> bool:
    """Whether only the migration tool uses the table."""
    names = {unit.bookkeeping + ending for ending in BOOKKEEPING_LOCKS}
    return bool(unit.bookkeeping) and last_part(table) in names


def column_names(table: Table, numbers: tuple[int, ...]) -> tuple[str, ...]:
    names = {column.number: column.name for column in table.columns}
    return tuple(names[number] for number in numbers if number in names)


def last_part(name: str) -> str:
    """An object's name without its schema."""
    return name.rpartition(".")[2].strip('"')
