"""The same statements, so that a running application hardly notices. Pure.

Whatever locks a table that was there before is taken apart: an index is built CONCURRENTLY, a constraint is
added NOT VALID and validated afterwards, NOT NULL rests on a validated constraint. What is created in the
same migration is left simple: nobody uses it yet. The result is tried and compared like everything else.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

IDENT = r'(?:"(?:[^"]|"")+"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)'
NAME = rf"{IDENT}(?:\.{IDENT})?"
FLAGS = re.IGNORECASE | re.DOTALL
INDEX = re.compile(rf"create\s+(?P<unique>unique\s+)?index\s+(?P<name>{IDENT})\s+on\s+(?:only\s+)?(?P<table>{NAME})\s", FLAGS)
DROP_INDEX = re.compile(rf"drop\s+index\s+(?:if\s+exists\s+)?(?P<name>{NAME})$", FLAGS)
DROP_CONCURRENTLY = re.compile(rf"DROP INDEX CONCURRENTLY IF EXISTS (?P<name>{NAME})$")
ALTER = re.compile(rf"alter\s+table\s+(?:only\s+)?(?P<table>{NAME})\s+(?P<rest>.*)", FLAGS)
ADD = re.compile(rf"add\s+constraint\s+(?P<name>{IDENT})\s+(?P<rest>.*)", FLAGS)
COLUMN_LIST = re.compile(rf"(?P<kind>primary\s+key|unique)\s*(?P<columns>\({IDENT}(?:,\s*{IDENT})*\))$", FLAGS)
USING_INDEX = re.compile(r"(?:primary\s+key|unique)\s+using\s+index\b", FLAGS)
NOT_NULL = re.compile(rf"not\s+null\s+(?P<column>{IDENT})$", FLAGS)
REFERENCES = re.compile(rf"\breferences\s+(?P<table>{NAME})", FLAGS)
SET_NOT_NULL = re.compile(rf"alter\s+column\s+(?P<column>{IDENT})\s+set\s+not\s+null$", FLAGS)
VALIDATE = re.compile(r"validate\s+constraint\b", FLAGS)
POSTGRES_18 = 180000


@dataclass(frozen=True)
class Step:
    """Statements that one file holds. ``transaction``: all of them or none."""

    what: str
    statements: tuple[str, ...]
    transaction: bool


@dataclass
class Plan:
    """Where each statement goes. The steps run in this order."""

    change: list[str] = field(default_factory=list)
    concurrently: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    attach: list[str] = field(default_factory=list)
    validate: list[str] = field(default_factory=list)
    finish: list[str] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)  # names of what comes only after the first step
    keys: set[str] = field(default_factory=set)  # tables that get a key after the first step

    def steps(self) -> Iterator[Step]:
        """Empty ones are left out."""
        # What takes the place of an index comes first; one of the same name has dropped it already.
        again = {plain(match["name"]) for each in self.concurrently if (match := DROP_CONCURRENTLY.match(each))}
        dropped = [each for each in self.dropped if (match := DROP_CONCURRENTLY.match(each)) and plain(match["name"]) not in again]
        found = (
            Step("", tuple(self.change), True),
            Step("indexes", (*self.concurrently, *dropped), False),
            Step("constraints", tuple(self.attach), True),
            Step("validate", tuple(self.validate), False),
            Step("finish", tuple(self.finish), True),
        )
        return (step for step in found if step.statements)


def plain(name: str) -> str:
    """One spelling of a name: without needless quotes, with its schema."""
    parts = re.findall(IDENT, name)
    words = [part[1:-1].replace('""', '"') if part.startswith('"') else part.lower() for part in parts]
    return ".".join(words if len(words) > 1 else ["public", *words])


def gentle(statements: Sequence[str], *, existing: frozenset[str], version: int) -> list[Step]:
    """``existing`` are the ordinary tables, by plain name, that were there before."""
    plan = Plan()
    for statement in statements:
        _place(plan, statement, existing, version)
    return list(plan.steps())


def _place(plan: Plan, statement: str, existing: frozenset[str], version: int) -> None:
    index = INDEX.match(statement)
    if index and plain(index["table"]) in existing and not _follows(plan, statement):
        schema = index["table"].rpartition(".")[0]
        name = f"{schema}.{index['name']}" if schema else index["name"]
        plan.concurrently += [f"DROP INDEX CONCURRENTLY IF EXISTS {name}", _concurrently(statement, index)]
        plan.moved.add(plain(index["name"]).partition(".")[2])
        return
    dropped = DROP_INDEX.match(statement)
    if dropped:
        plan.dropped.append(f"DROP INDEX CONCURRENTLY IF EXISTS {dropped['name']}")
        return
    altered = ALTER.match(statement)
    if altered and plain(altered["table"]) in existing:
        _alter(plan, statement, altered["table"], altered["rest"].strip(), version)
        return
    (plan.attach if _follows(plan, statement) else plan.change).append(statement)


def _concurrently(statement: str, index: re.Match[str]) -> str:
    unique = "UNIQUE " if index["unique"] else ""
    return f"CREATE {unique}INDEX CONCURRENTLY {statement[index.start('name'):]}"


def _follows(plan: Plan, statement: str) -> bool:
    """Whether it speaks of something that comes only after the first step."""
    return any(re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", statement) for name in plan.moved)


def _alter(plan: Plan, statement: str, table: str, rest: str, version: int) -> None:
    later = _follows(plan, statement)
    added = ADD.match(rest)
    if added:
        _add(plan, statement, table, added["name"], added["rest"].strip(), later)
        return
    if VALIDATE.match(rest):
        plan.validate.append(statement)
        return
    must = SET_NOT_NULL.match(rest)
    if must:
        _not_null(plan, table, must["column"], version)
        return
    (plan.attach if later else plan.change).append(statement)


def _add(plan: Plan, statement: str, table: str, name: str, rest: str, later: bool) -> None:
    key = COLUMN_LIST.match(rest)
    if key or USING_INDEX.match(rest):
        if key:  # the index first, without a lock
            schema = table.rpartition(".")[0]
            place = f"{schema}.{name}" if schema else name
            plan.concurrently += [
                f"DROP INDEX CONCURRENTLY IF EXISTS {place}",
                f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {key['columns']}",
            ]
            kind = " ".join(key["kind"].upper().split())
            statement = f"ALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {name}"
        plan.attach.append(statement)
        plan.moved.add(plain(name).partition(".")[2])
        plan.keys.add(plain(table))
        return
    references = REFERENCES.search(rest)
    later = later or bool(references and plain(references["table"]) in plan.keys)
    into = plan.attach if later else plan.change
    if re.match(r"(?:check|foreign\s+key|not\s+null)\b", rest, FLAGS) and not re.search(r"\bnot\s+valid$", rest, FLAGS):
        into.append(f"{statement} NOT VALID")
        plan.validate.append(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        return
    into.append(statement)


def _not_null(plan: Plan, table: str, column: str, version: int) -> None:
    """The scan is that of a VALIDATE, which lets others read and write."""
    bare = plain(column).partition(".")[2]
    if version >= POSTGRES_18:
        name = quoted(f"{plain(table).partition('.')[2]}_{bare}_not_null"[:63])
        plan.change.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} NOT NULL {column} NOT VALID")
        plan.validate.append(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        return
    name = quoted(f"{bare}_is_not_null"[:63])
    plan.change.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID")
    plan.validate.append(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    plan.finish += [f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL", f"ALTER TABLE {table} DROP CONSTRAINT {name}"]


def quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
