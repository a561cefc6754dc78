"""Trial: what becomes of the rows. The tables that the pushed migrations name are copied before, and compared
afterwards and after the way back.

What the migrations will touch is only known when they have run, so their texts must do: a table that is copied
in vain costs little, and what was touched without having been copied is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from neon_hooks.database.connect import connect_when_ready
from neon_hooks.database.copies import Copies, copied, filled
from neon_hooks.database.tables import catalogue
from neon_hooks.facts import Catalogue, Contents, Lost, Table, UnitFacts
from neon_hooks.plan import Work
from neon_hooks.trials.held import mentions
from neon_hooks.trials.place import Place, Sight

MOST = 50  # tables
WORD = re.compile(r"[a-z0-9]+")
CHANGES = frozenset({"DELETE", "UPDATE", "MERGE", "ALTER TABLE"})
WRITES = frozenset({"RowExclusiveLock", "AccessExclusiveLock"})


@contextmanager
def copies_of(work: Work, place: Place, before: Sight, most_rows: int) -> Iterator[Copies | None]:
    """The named tables of up to ``most_rows`` rows, copied; None where there are none."""
    small = [t for t in _named(work, place, before.catalogue) if t.rows is not None and t.rows <= most_rows]
    if not small:
        yield None
        return
    with closing(connect_when_ready(place.dsn, place.deadline)) as connection:
        yield copied(connection, small[:MOST])


def _named(work: Work, place: Place, before: Catalogue) -> list[Table]:
    """By the last word of a table's name: Django's migrations say "customer" for shop_customer."""
    words: set[str] = set()
    for migration in work.pushed:
        file = place.checkout / migration.path
        if file.is_file():
            words.update(WORD.findall(file.read_text(encoding="utf-8", errors="replace").lower()))
    last = ((table, WORD.findall(table.name.lower())[-1:]) for table in before.tables.values())
    return [table for table, word in last if words.intersection(word)]


def contents(facts: UnitFacts, copies: Copies | None) -> UnitFacts:
    """Add what is different in the copied tables after the migrations, and which could not be compared."""
    if facts.before is None or facts.after is None:
        return facts
    compared, known = copies.compared(facts.after, by_name=False) if copies else ((), frozenset())
    statements = facts.first.statements if facts.first else ()
    locked = {lock.table or lock.relation for s in statements for lock in s.locks if lock.mode in WRITES and lock.existed_before}
    # A lock that was held for a moment is not seen.
    changing = [statement.sql for statement in statements if statement.tag in CHANGES and not statement.error]
    with_rows = {t.name for t in facts.before.tables.values() if t.kind == "r" and t.rows != 0}
    there = {facts.before.tables[oid].name for oid in facts.after.tables if oid in facts.before.tables}
    missed = with_rows & there - known - {t.name for t in facts.before.tables.values() if is_own(facts, t)}
    touched = (name for name in missed if name in locked or any(mentions(sql, name) for sql in changing))
    return replace(facts, contents=compared, uncompared=tuple(sorted(touched)))


def is_own(facts: UnitFacts, table: Table) -> bool:
    """Whether it is the bookkeeping's."""
    return bool(facts.bookkeeping) and table.name.rpartition(".")[2].strip('"').startswith(facts.bookkeeping)


def only_after(facts: UnitFacts, place: Place, most_rows: int) -> tuple[Lost, ...]:
    """What is in the tables and columns that the migrations made, before it is taken back; not of larger tables."""
    if facts.before is None or facts.after is None:
        return ()
    places: list[tuple[str, str]] = []
    for oid, table in facts.after.tables.items():
        was = facts.before.tables.get(oid)
        if table.kind != "r" or (table.rows or 0) > most_rows or is_own(facts, table):
            continue
        known = {column.number for column in was.columns} if was else set()
        new = [column.name for column in table.columns if column.number not in known] if was else [""]
        places += [(table.name, name) for name in new]
    with closing(connect_when_ready(place.dsn, place.deadline)) as connection:
        return filled(connection, places)


def after_the_way_back(
    held: tuple[Lost, ...], copies: Copies | None, place: Place
) -> tuple[tuple[Lost, ...], tuple[Contents, ...]]:
    """Of what the migrations had ``held``, what is gone now; and what is not as it was before them."""
    with closing(connect_when_ready(place.dsn, place.deadline)) as connection:
        now = catalogue(connection)
    there = {(t.name, c.name) for t in now.tables.values() for c in t.columns} | {(t.name, "") for t in now.tables.values()}
    gone = tuple(each for each in held if (each.relation, each.column) not in there)
    return gone, copies.compared(now, by_name=True)[0] if copies else ()
