"""Trial: what the deployed code does, before the migrations and after them. While a deployment runs, and after a
rollback of the code, old code meets the new schema.

Its known queries are prepared, which looks up every name in them and runs nothing. And one row is inserted into each
table and rolled back, by a statement that names only the columns that have to be named: that meets what no known
query may show, a new column that demands a value.

Not seen: what the body of a function names (plpgsql looks that up when it runs), unless a trigger calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from neon_hooks.database.connect import Connection, connect_when_ready
from neon_hooks.database.inserts import Inserts, demanded, inserts, tried, was_taken
from neon_hooks.database.pipelined import Answer, Disconnected, Shape, answers, prepare, type_names
from neon_hooks.facts import (
    Catalogue, ChangedQuery, ChangedType, Column, Deployed, Table, TriedInsert, TriedQuery, UnitFacts,
)  # fmt: skip
from neon_hooks.queries import PRODUCTION, Known, Query, name_at, translated, with_type
from neon_hooks.trials.place import Place

MOST_TABLES = 500
SHOWN = 100  # queries that could not be prepared before either
# What an INSERT of the deployed code is refused for: not_null_violation, undefined_column, generated_always.
REFUSALS = ("23502", "42703", "428C9")
UNTYPED = "42P18"  # indeterminate_datatype
T = TypeVar("T")


@dataclass(frozen=True)
class Ready:
    """A query with the text that can be prepared, and what that takes and returns: types by "$1" or a column's name."""

    query: Query
    text: str
    types: Mapping[str, str]


@dataclass(frozen=True)
class Habits:
    """What the deployed code does, and works before the migrations. ``taken`` are the INSERTs, ``so_far`` has what else
    is known by then.
    """

    connection: Connection
    ready: tuple[Ready, ...]
    taken: Inserts
    so_far: Deployed


@contextmanager
def habits(
    place: Place,
    known: Known,
    before: Catalogue,
    *,
    unread: str = "",
    with_inserts: bool = True,
    apart: Collection[str] = (),
) -> Iterator[Habits]:
    """Try everything before the migrations, over a connection that stays open. ``apart``: see inserts.inserts."""
    with closing(connect_when_ready(place.dsn, place.deadline)) as connection:
        ready, unprepared = _prepared(connection, known.queries)
        taken, untried = _taken(connection, before, apart) if with_inserts else (Inserts({}, {}), ())
        from_production = sum(query.source == PRODUCTION for query in known.queries)
        so_far = Deployed(
            files=len(known.queries) - from_production, production=from_production, tried=len(ready),
            unprepared=unprepared[:SHOWN], skipped=known.skipped, unread=unread, untried=untried,
        )  # fmt: skip
        yield Habits(connection, ready, taken, so_far)


def deployed(facts: UnitFacts, place: Place, habits: Habits) -> UnitFacts:
    """Add what no longer works after them."""
    if facts.before is None or facts.after is None:
        return facts
    statements = _still_there(habits.taken.statements, facts.before, facts.after) if facts.schema_diff else {}
    fuller = {
        oid: habits.taken.naming(facts.before.tables[oid], [column.name for column in columns])
        for oid in statements
        if (columns := _newly_demanded(facts.before.tables[oid], facts.after.tables.get(oid)))
    }

    def again(connection: Connection) -> tuple[list[Answer], tuple[ChangedQuery, ...], list[Answer]]:
        prepared = answers(connection, [prepare(each.text) for each in habits.ready])
        types = _types(connection, [answer.shape for answer in prepared])
        pairs = [(old, now) for old, now, answer in zip(habits.ready, types, prepared, strict=True) if not answer.error]
        return prepared, tuple(_differing(pairs)), tried(connection, [*statements.values(), *fuller.values()])

    prepared, differing, inserted = _connected(habits.connection, place, again)
    broken = [_query(old.query, old.text, now) for old, now in zip(habits.ready, prepared, strict=True) if now.error]
    found = replace(habits.so_far, broken=tuple(broken), changed=differing)
    sent = [(facts.before.tables[oid], oid, statement) for oid, statement in (*statements.items(), *fuller.items())]
    done = [
        Done(table, statement, answer, _newly_demanded(table, facts.after.tables.get(oid)))
        for (table, oid, statement), answer in zip(sent, inserted, strict=True)
    ]
    changed = frozenset(facts.before.tables[oid].name for oid in _changed(facts.before, facts.after))
    return replace(facts, deployed=_with_inserts(found, done[: len(statements)], done[len(statements) :], changed))


@dataclass(frozen=True)
class Done:
    """What became of one INSERT. ``newly`` are columns that could be null before, and cannot now."""

    table: Table
    statement: str
    answer: Answer
    newly: tuple[Column, ...]

    @property
    def is_refused(self) -> bool:
        return self.answer.error is not None and self.answer.error.sqlstate in REFUSALS

    @property
    def column(self) -> str:
        """What the error is about. Where the server does not name it, it says where it stands."""
        position = self.answer.error.position if self.answer.error else 0
        return self.answer.column or name_at(self.statement, position).rpartition(".")[2]

    def told(self) -> TriedInsert:
        assert self.answer.error
        existed = next((column for column in self.newly if column.name == self.column), None)
        return TriedInsert(
            self.table.name, tuple(column.name for column in demanded(self.table)), self.answer.error, self.column,
            existed is not None, existed.null_fraction if existed else None,
        )  # fmt: skip


def _with_inserts(found: Deployed, done: Sequence[Done], fuller: Sequence[Done], changed: frozenset[str]) -> Deployed:
    """Of the tables that are not ``changed``, only those count that say something.

    That a column may not be null any more is the last step of adding one: where no row had none before, the deployed
    code names it, and the ``fuller`` INSERT does, too.
    """
    untried = changed.intersection(found.untried)
    silent = [each.table.name for each in done if not (each.is_refused or was_taken(each.answer))]
    untried |= changed.intersection(silent)
    told = [each.told() for each in (*done, *fuller) if each.is_refused]
    refused = dict.fromkeys(each for each in told if not each.existed or each.null_fraction != 0)
    return replace(found, inserts=len(done) - len(silent), refused=tuple(refused), untried=tuple(sorted(untried)))


def _differing(pairs: Iterable[tuple[Ready, Mapping[str, str]]]) -> Iterator[ChangedQuery]:
    """The queries that take or return something else now."""
    for old, now in pairs:
        missing = tuple(name for name in old.types if name not in now)
        others = tuple(ChangedType(name, was, now[name]) for name, was in old.types.items() if now.get(name, was) != was)
        if missing or others:
            yield ChangedQuery(old.query, missing, others)


def _types(connection: Connection, shapes: Sequence[Shape]) -> list[Mapping[str, str]]:
    """By name, as a type that is made anew has another OID."""
    places = [{**{f"${n}": oid for n, oid in enumerate(s.parameters, start=1)}, **dict(s.columns)} for s in shapes]
    names = type_names(connection, {oid for each in places for oid in each.values()})
    return [{name: names[oid] for name, oid in each.items() if oid in names} for each in places]


def _connected(connection: Connection, place: Place, do: Callable[[Connection], T]) -> T:
    """A migration may have ended the other sessions."""
    try:
        return do(connection)
    except Disconnected:
        with closing(connect_when_ready(place.dsn, place.deadline)) as another:
            return do(another)


def _prepared(
    connection: Connection, queries: Sequence[Query]
) -> tuple[tuple[Ready, ...], tuple[TriedQuery, ...]]:
    """The queries that can be prepared, each with the text that can. And those that cannot."""
    told: dict[Query, tuple[str, Answer]] = {}
    waiting = {query: query.sql for query in queries}
    while waiting:
        done = answers(connection, [prepare(text) for text in waiting.values()])
        told |= {query: (text, answer) for (query, text), answer in zip(waiting.items(), done, strict=True)}
        waiting = {query: other for query in waiting if (other := _another(query, *told[query]))}
    good = [(query, text, answer.shape) for query, (text, answer) in told.items() if not answer.error]
    types = _types(connection, [shape for _, _, shape in good])
    ready = tuple(Ready(query, text, each) for (query, text, _), each in zip(good, types, strict=True))
    return ready, tuple(_query(query, text, answer) for query, (text, answer) in told.items() if answer.error)


def _another(query: Query, text: str, answer: Answer) -> str:
    """What to try when ``text`` cannot be prepared: its placeholders translated, or a parameter whose type nothing
    tells as a text, which the client would have told. "" for nothing more.
    """
    if answer.error is None:
        return ""
    if answer.error.sqlstate == UNTYPED:
        typed = with_type(text, answer.error.message)
        return typed if typed != text else ""
    other = translated(text) if text == query.sql else text
    return other if other != text else ""


def _query(query: Query, text: str, answer: Answer) -> TriedQuery:
    assert answer.error
    return TriedQuery(query, answer.error, name_at(text, answer.error.position))


def _taken(
    connection: Connection, before: Catalogue, apart: Collection[str]
) -> tuple[Inserts, tuple[str, ...]]:
    """The INSERTs that work, and the names of the tables for which there is none."""
    made = inserts(connection, before, apart)
    statements = dict([(oid, statement) for oid, statement in made.statements.items() if statement][:MOST_TABLES])
    done = tried(connection, list(statements.values()))
    taken = {oid: statements[oid] for oid, answer in zip(statements, done, strict=True) if was_taken(answer)}
    return replace(made, statements=taken), tuple(before.tables[oid].name for oid in made.statements if oid not in taken)


def _still_there(statements: Mapping[int, str], before: Catalogue, after: Catalogue) -> Mapping[int, str]:
    """Those for tables that have kept their name, or have given it to something else: no code need use what is dropped."""
    names = {table.name for table in after.tables.values()}
    return {oid: statement for oid, statement in statements.items() if before.tables[oid].name in names}


def _newly_demanded(before: Table, after: Table | None) -> tuple[Column, ...]:
    now = {column.number for column in after.columns if column.not_null} if after else set()
    return tuple(c for c in before.columns if not c.not_null and not c.default and c.number in now)


def _changed(before: Catalogue, after: Catalogue) -> list[int]:
    """Tables whose columns are others now."""
    names = {table.name for table in after.tables.values()}
    pairs = [(oid, table, after.tables.get(oid)) for oid, table in before.tables.items()]
    return [oid for oid, table, now in pairs if table.name in names and (now is None or _form(table) != _form(now))]


def _form(table: Table) -> object:
    return table.name, [replace(column, null_fraction=None) for column in table.columns]
