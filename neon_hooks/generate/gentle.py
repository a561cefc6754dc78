"""The same statements, so that a running application hardly notices. Pure.

Whatever locks a table that was there before is taken apart: an index is built CONCURRENTLY, that of a partitioned
table on each partition, a constraint is added NOT VALID and validated afterwards, NOT NULL rests on a validated
constraint, and what takes the place of an index or a key is there before the old one goes. What is created in the
same migration is left simple: nobody uses it yet. The result is tried and compared like everything else.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from neon_hooks.sqlreader import LONGEST_NAME, Reader

Name = tuple[str, str]  # schema and name, as the catalogue has them
POSTGRES_18 = 180000
# Words that Postgres takes for something else than a name where they stand without quotes (manual, appendix C).
RESERVED = frozenset(
    """all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
    returning right select session_user similar some symmetric system_user table tablesample then to trailing true union
    unique user using variadic verbose when where window with""".split()
)


@dataclass(frozen=True)
class There:
    """What was there before. ``tables`` are ordinary ones, ``indexes`` and ``keys`` (of constraints) are theirs.

    ``relations`` are all names that are taken; ``nullable`` are (schema, table, column). ``partitions`` are the next
    ones below each partitioned table; ``wanted`` is what the index of one will be called, by (index of the table above,
    partition).
    """

    tables: frozenset[Name] = frozenset()
    indexes: frozenset[Name] = frozenset()
    keys: frozenset[Name] = frozenset()
    relations: frozenset[Name] = frozenset()
    nullable: frozenset[tuple[str, str, str]] = frozenset()
    partitions: Mapping[Name, Sequence[Name]] = field(default_factory=dict)
    wanted: Mapping[tuple[Name, Name], Name] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """Statements that one file holds. ``transaction``: all of them or none."""

    what: str
    statements: tuple[str, ...]
    transaction: bool


def gentle(statements: Sequence[str], *, there: There, version: int) -> list[Step]:
    plan = Plan(there, version, _replaced(statements, there), frozenset(_of_keys(statements)))
    for statement in statements:
        plan.place(statement)
    return list(plan.steps())


def at_once(steps: Iterable[Step]) -> Iterator[str]:
    """The statements of all steps, as one transaction can hold them: to try them."""
    for step in steps:
        for statement in step.statements:
            yield re.sub(r"^((?:CREATE(?: UNIQUE)?|DROP) INDEX) CONCURRENTLY", r"\1", statement)


def _replaced(statements: Sequence[str], there: There) -> frozenset[Name]:
    """Keys whose names come back: (their index's schema, their name)."""
    dropped: set[Name] = set()
    found: set[Name] = set()
    for statement in statements:
        reader = Reader(statement)
        table = _altered(reader)
        if table in there.tables and reader.takes("drop constraint"):
            dropped.add((table[0], reader.part()))
        elif table in there.tables and reader.takes("add constraint"):
            name = (table[0], reader.part())
            if name in dropped & there.keys and (reader.takes("primary key") or reader.takes("unique")):
                found.add(name)
    return frozenset(found)


def _of_keys(statements: Sequence[str]) -> Iterator[Name]:
    """Indexes that are built to become a key."""
    for statement in statements:
        reader = Reader(statement)
        table = _altered(reader)
        if table and reader.takes("add constraint") and reader.part():
            if (reader.takes("primary key") or reader.takes("unique")) and reader.takes("using index"):
                yield table[0], reader.part()


def _altered(reader: Reader) -> Name:
    """The table that is altered; ("", "") in every other statement."""
    if not reader.takes("alter table"):
        return "", ""
    reader.takes("if exists")
    reader.takes("only")
    return _with_schema(reader.name())


def _with_schema(name: Name) -> Name:
    return (name[0] or "public", name[1]) if name[1] else name


@dataclass
class Plan:
    """Where each statement goes. The steps run in this order."""

    there: There
    version: int
    replaced: frozenset[Name]
    of_keys: frozenset[Name]
    change: list[str] = field(default_factory=list)
    validate: dict[tuple[Name, str], str] = field(default_factory=dict)  # table and constraint: its column or ""
    build: list[str] = field(default_factory=list)
    dropped: dict[Name, str] = field(default_factory=dict)
    attach: list[str] = field(default_factory=list)
    validate_last: dict[tuple[Name, str], str] = field(default_factory=dict)
    finish: list[str] = field(default_factory=list)
    later: set[str] = field(default_factory=set)  # names of what comes only after the first step
    late_tables: set[Name] = field(default_factory=set)  # whose keys change after the first step
    late_constraints: set[tuple[Name, str]] = field(default_factory=set)
    built_as: dict[Name, str] = field(default_factory=dict)  # the name for the time being
    columns: dict[Name, str] = field(default_factory=dict)  # of those indexes, in parentheses
    below: set[Name] = field(default_factory=set)  # indexes of partitions, under their last names

    def steps(self) -> Iterator[Step]:
        """Empty ones are left out."""
        found = (
            Step("", tuple(self.change), True),
            Step("indexes", (*self.build, *self.dropped.values()), False),
            Step("validate", tuple(_validations(self.validate)), False),
            Step("constraints", tuple(self.attach), True),
            Step("validate", tuple(_validations(self.validate_last)), False),
            Step("finish", tuple(self.finish), True),
        )
        return (step for step in found if step.statements)

    def place(self, statement: str) -> None:
        reader = Reader(statement)
        if reader.takes("create index") or reader.takes("create unique index"):
            placed = self._index(reader, statement)
        elif reader.takes("drop index"):
            placed = self._drop_index(reader)
        elif reader.takes("alter index"):
            placed = self._is_named(reader)
        else:
            table = _altered(reader)
            placed = table in self.there.tables and self._alter(reader, table, statement)
        if not placed:
            self._simply(statement)

    def _simply(self, statement: str, *, later: bool = False) -> None:
        names = Reader(statement).identifiers()
        (self.attach if later or names & self.later else self.change).append(statement)

    def _index(self, reader: Reader, statement: str) -> bool:
        name = reader.part()
        if not name or not reader.takes("on"):
            return False
        rest = reader.rest
        reader.takes("only")
        table = _with_schema(reader.name())
        if reader.identifiers() & self.later:
            return False
        unique = " UNIQUE" if Reader(statement).takes("create unique") else ""
        if table in self.there.partitions:
            return self._build_below((table[0], name), table, f"CREATE{unique} INDEX CONCURRENTLY", reader.rest, statement)
        if table not in self.there.tables:
            return False
        if reader.takes("using"):
            reader.part()
        self._build((table[0], name), unique, rest, reader.group())
        return True

    def _build(self, name: Name, unique: str, rest: str, columns: str) -> None:
        """CONCURRENTLY, and in place of one of the same name only when it is there."""
        old = name if name in self.there.relations else None
        built = self._free(name) if old else name
        self.build += [
            # What is left of an attempt that failed.
            f"DROP INDEX CONCURRENTLY IF EXISTS {dotted(built)}",
            f"CREATE{unique} INDEX CONCURRENTLY {quoted(built[1])} ON {rest}",
        ]
        self.built_as[name], self.columns[name] = built[1], columns
        self.later.add(name[1])
        if old and old not in self.of_keys | self.replaced:
            self.dropped.pop(old, None)
            self.build += [f"DROP INDEX CONCURRENTLY IF EXISTS {dotted(old)}", f"ALTER INDEX {dotted(built)} RENAME TO {quoted(name[1])}"]

    def _build_below(self, index: Name, table: Name, create: str, rest: str, statement: str) -> bool:
        """On a partitioned table there is no CONCURRENTLY. What its partitions have already is not built again, but
        attached (manual, 5.12.2.2), which takes a moment.
        """
        if index in self.there.relations:
            return False
        for leaf, name in self._leaves(index, table):
            self.build += [f"DROP INDEX CONCURRENTLY IF EXISTS {dotted(name)}", f"{create} {quoted(name[1])} ON {dotted(leaf)} {rest}"]
            self.below.add(name)
            self.later.add(name[1])
        self.later.add(index[1])
        self.attach.append(statement)
        return True

    def _leaves(self, index: Name, table: Name) -> Iterator[tuple[Name, Name]]:
        """The partitions that hold rows, each with the name of the index that it lacks."""
        for part in self.there.partitions[table]:
            name = self.there.wanted.get((index, part))
            if name and part in self.there.partitions:
                self.later.add(name[1])
                yield from self._leaves(name, part)
            elif name and part in self.there.tables and name not in self.there.relations:
                yield part, name

    def _is_named(self, reader: Reader) -> bool:
        """Whether it would get a name that it has from the beginning."""
        schema, _ = _with_schema(reader.name())
        return reader.takes("rename to") and (schema, reader.part()) in self.below

    def _free(self, name: Name) -> Name:
        """A name like this one that nothing has."""
        number = 0
        while True:
            suffix = f"_new{number or ''}"
            start = name[1].encode()[: LONGEST_NAME - len(suffix)].decode(errors="ignore")
            if (name[0], start + suffix) not in self.there.relations:
                return name[0], start + suffix
            number += 1

    def _drop_index(self, reader: Reader) -> bool:
        reader.takes("if exists")
        name = _with_schema(reader.name())
        if not reader.ended:
            return False
        if name in self.there.keys:
            return True  # it goes with its constraint
        if name not in self.there.indexes or name[1] in self.later:
            return False
        self.dropped[name] = f"DROP INDEX CONCURRENTLY IF EXISTS {dotted(name)}"
        return True

    def _alter(self, reader: Reader, table: Name, statement: str) -> bool:
        placed = False
        if reader.takes("add constraint"):
            placed = self._add(reader, table, reader.part(), statement)
        elif reader.takes("drop constraint"):
            self._drop_constraint(reader, table)
        elif reader.takes("rename constraint"):
            self._rename_constraint(reader, table)
        elif reader.takes("validate constraint"):
            self._validate(table, reader.part())
            placed = True
        elif reader.takes("alter column"):
            placed = self._column(reader, table, reader.part())
        if not placed and table in self.late_tables:
            self._simply(statement, later=True)
            placed = True
        return placed

    def _column(self, reader: Reader, table: Name, column: str) -> bool:
        if reader.takes("set not null") and reader.ended:
            self._not_null(table, column)
            return True
        if reader.takes("drop not null"):
            for key in [key for key, of in self.validate.items() if key[0] == table and of == column]:
                del self.validate[key]
        return False

    def _drop_constraint(self, reader: Reader, table: Name) -> None:
        name = reader.part()
        self.validate.pop((table, name), None)
        self.validate_last.pop((table, name), None)
        if (table[0], name) in self.replaced:
            # Until then it guards the rows; the new one takes its place in the same transaction.
            self.late_tables.add(table)

    def _rename_constraint(self, reader: Reader, table: Name) -> None:
        name = reader.part()
        new = reader.part() if reader.takes("to") else ""
        for waiting in (self.validate, self.validate_last):
            if new and (table, name) in waiting:
                waiting[table, new] = waiting.pop((table, name))

    def _validate(self, table: Name, name: str, column: str = "") -> None:
        (self.validate_last if (table, name) in self.late_constraints else self.validate)[table, name] = column

    def _add(self, reader: Reader, table: Name, name: str, statement: str) -> bool:
        for kind in ("primary key", "unique"):
            if reader.takes(kind):
                return self._add_key(reader, table, name, kind.upper())
        checked = next((kind for kind in ("check", "foreign key", "not null") if reader.takes(kind)), "")
        if not checked:
            return False
        column = reader.part() if checked == "not null" else ""
        later = table in self.late_tables or bool(reader.identifiers() & self.later) or self._refers_to_late(reader)
        if later:
            self.late_constraints.add((table, name))
        if reader.ends_with("not valid") or reader.ends_with("not enforced"):
            self._simply(statement, later=later)
        else:
            self._simply(f"{statement} NOT VALID", later=later)
            self._validate(table, name, column)
        return True

    def _refers_to_late(self, reader: Reader) -> bool:
        reader.group()
        return reader.takes("references") and _with_schema(reader.name()) in self.late_tables

    def _add_key(self, reader: Reader, table: Name, name: str, kind: str) -> bool:
        """The index first, without a lock."""
        index = (table[0], name)
        if reader.takes("using index"):
            index = (table[0], reader.part())
            if index not in self.built_as:
                return False
        elif not self._build_key(reader, table, index):
            return False
        if kind == "PRIMARY KEY":
            for _, column in Reader(self.columns[index][1:-1]).names():
                if (*table, column) in self.there.nullable and not self._is_checked(table, column):
                    self._not_null(table, column)
        deferred = f" {reader.rest}" if reader.rest else ""
        self.late_tables.add(table)
        self.later.add(name)
        built = quoted(self.built_as[index])
        self.attach.append(f"ALTER TABLE {dotted(table)} ADD CONSTRAINT {quoted(name)} {kind} USING INDEX {built}{deferred}")
        return True

    def _build_key(self, reader: Reader, table: Name, index: Name) -> bool:
        nulls = " NULLS NOT DISTINCT" if reader.takes("nulls not distinct") else ""
        columns = reader.group()
        included = f" INCLUDE {reader.group()}" if reader.takes("include") else ""
        options = f" WITH {reader.group()}" if reader.takes("with") else ""
        if not columns or reader.takes("using") or Reader(columns[1:-1]).ends_with("without overlaps"):
            return False
        self._build(index, " UNIQUE", f"{dotted(table)} {columns}{included}{nulls}{options}", columns)
        return True

    def _is_checked(self, table: Name, column: str) -> bool:
        return any(key[0] == table and of == column for key, of in self.validate.items())

    def _not_null(self, table: Name, column: str) -> None:
        """The scan is that of a VALIDATE, which lets others read and write."""
        if self.version >= POSTGRES_18:
            name = _cut(f"{table[1]}_{column}_not_null")
            self.change.append(f"ALTER TABLE {dotted(table)} ADD CONSTRAINT {quoted(name)} NOT NULL {quoted(column)} NOT VALID")
            self.validate[table, name] = column
            return
        name = _cut(f"{column}_is_not_null")
        self.change.append(f"ALTER TABLE {dotted(table)} ADD CONSTRAINT {quoted(name)} CHECK ({quoted(column)} IS NOT NULL) NOT VALID")
        self.validate[table, name] = column
        self.finish += [
            f"ALTER TABLE {dotted(table)} ALTER COLUMN {quoted(column)} SET NOT NULL",
            f"ALTER TABLE {dotted(table)} DROP CONSTRAINT {quoted(name)}",
        ]


def _validations(waiting: Iterable[tuple[Name, str]]) -> Iterator[str]:
    return (f"ALTER TABLE {dotted(table)} VALIDATE CONSTRAINT {quoted(name)}" for table, name in waiting)


def _cut(name: str) -> str:
    return name.encode()[:LONGEST_NAME].decode(errors="ignore")


def quoted(name: str) -> str:
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in RESERVED
    return name if plain else '"' + name.replace('"', '""') + '"'


def dotted(name: Name) -> str:
    return f"{quoted(name[0])}.{quoted(name[1])}"
