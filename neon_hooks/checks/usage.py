"""What the known queries and the tried INSERTs of the deployed code say about a statement of a migration. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from neon_hooks.checks.schema import last_part
from neon_hooks.checks.wording import CHANGES, WORD, Places, listed
from neon_hooks.facts import Statement, TriedInsert, TriedQuery, UnitFacts
from neon_hooks.findings import counted
from neon_hooks.queries import PRODUCTION, Query

SHOWN = 3
T = TypeVar("T")


def usage(unit: UnitFacts, places: Places, statement: Statement | None, name: str = "") -> str:
    """The end of a finding's message: whether something known breaks because of ``name``, or ("") of the statement."""
    deployed = unit.deployed
    if deployed is None:
        return ""
    last = last_part(name).lower()

    def is_used(tried: TriedQuery) -> bool:
        if name:
            return _last(tried.name) == last
        return statement is not None and statement is cause(places, tried.name, tried.query.sql)

    uses = [place(tried.query) for tried in deployed.broken if is_used(tried)]
    inserts = [insert for insert in deployed.refused if name and insert.column.lower() == last]
    if uses or inserts:
        said = [*uses, *(f"an INSERT into {insert.table.removeprefix('public.')}" for insert in inserts)]
        return f" (confirmed: {listed(said, SHOWN)} worked before and {'fail' if len(said) > 1 else 'fails'} after)"
    if deployed.tried:
        return f" (not one of the {queries(deployed.tried)} that could be tried fails on it; others may)"
    return ""


def queries(number: int) -> str:
    return counted(number, "known query" if number == 1 else "known queries", "")


def place(query: Query) -> str:
    """ "db/queries.sql:12", "a query of production (12 003 calls)"."""
    if query.source == PRODUCTION:
        return f"a query of production ({counted(query.calls, 'call')})"
    return f"{query.source}:{query.line}" + (" of the main line" if query.at_base else "")


def cause(places: Places, name: str, sql: str) -> Statement | None:
    """The statement of a migration because of which the query ``sql`` has lost ``name`` ("": not known what): that drops
    it, else names it itself (the value of an enum as a literal), else has the most words in common with the query.
    """
    if (name, "") not in places.causes:
        places.causes[name, ""] = _named(places, name) if name else None
    found = places.causes[name, ""]
    if found is None and (name, sql) not in places.causes:
        words = frozenset(WORD.findall(sql.upper()))
        best = max(places.changing, key=lambda pair: len(words & pair[1]), default=None)
        places.causes[name, sql] = best[0] if best and words & best[1] else None
    return found or places.causes[name, sql]


def _named(places: Places, name: str) -> Statement | None:
    literal, name = f"'{name}'", _last(name)
    for statement, _ in places.changing:
        if any(_last(each.identity.partition("(")[0]) == name for each in statement.dropped):
            return statement
    stated = (statement for statement, _ in places.changing if literal in statement.sql)
    return places.naming(name, CHANGES) or next(stated, None)


def by_cause(
    places: Places, named: Iterable[tuple[str, T]], sql: Callable[[T], str]
) -> Iterable[tuple[Statement | None, list[T]]]:
    """Together what breaks for the same reason: because of the same name and statement."""
    found: dict[tuple[int, str], tuple[Statement | None, list[T]]] = {}
    for name, each in named:
        statement = cause(places, name, sql(each))
        found.setdefault((id(statement), _last(name)), (statement, []))[1].append(each)
    return found.values()


def cause_of_refusal(places: Places, insert: TriedInsert) -> Statement | None:
    """The last one that names both column and table; else, as a trigger may write elsewhere, one of the two."""
    both = {last_part(insert.table).upper(), insert.column.upper()}
    named = next((statement for statement, words in reversed(places.changing) if both <= words), None)
    return named or (insert.column and places.naming(insert.column, CHANGES)) or places.naming(insert.table, CHANGES)


def _last(name: str) -> str:
    return last_part(name).lower()
