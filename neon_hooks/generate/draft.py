"""The story: two schemas, and a migration between them that is proven on the test Neon database branch.

    what differs           definitions of both sides
    what only people know  renames
    what an engine says    migra, apart
    what is true           tried in a transaction, repaired until nothing differs, rolled back
    what is gentle         taken apart for a running application
    the proof              the very files, run on the branch with its data, and both schemas compared
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from neon_hooks.database.attempts import Stored, attempt, changed_by_cast, numberings, partitions, relations, rolled_back, stored, tables, values_in
from neon_hooks.database.connect import Connection, connect, connect_when_ready
from neon_hooks.database.definitions import Definition, Definitions, definitions
from neon_hooks.database.execute import run_files
from neon_hooks.database.inspect import schema_lines
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Blocked, DeadlineExceeded, NotInstalled, Unavailable
from neon_hooks.facts import DatabaseError
from neon_hooks.generate.comparison import comparable
from neon_hooks.generate.deployed import Schema, schema
from neon_hooks.generate.engine import proposed
from neon_hooks.generate.enums import added_values
from neon_hooks.generate.files import Loss, Written, slug, written
from neon_hooks.generate.gentle import Name, Step, There, at_once, gentle
from neon_hooks.generate.renames import Candidate, Rename, candidates, decided
from neon_hooks.generate.repair import BY_DATA, carry_out, different
from neon_hooks.generate.sequences import continued, restarted
from neon_hooks.generate.ways import Attempt
from neon_hooks.sqlreader import last, parts
from neon_hooks.sqlscript import split

MOST_NAMED = 12
# What a database has before anybody has made anything.
FURNITURE = frozenset({"schema", "extension", "privilege", "default privilege"})


@dataclass(frozen=True)
class Order:
    """What is to be drafted. ``own`` are the statements of the desired schema as they were written."""

    schema: str  # the path to name
    own: Sequence[str]
    directory: str
    taken: Sequence[str]
    name: str
    renames: Sequence[str]
    wrapped: bool
    rows: bool = True  # whether the test Neon database branch has the rows of main


@dataclass(frozen=True)
class Draft:
    """``problem``: why the files do not run on the data that is there, "" when they are proven."""

    files: tuple[Written, ...] = ()
    lost: tuple[Loss, ...] = ()
    problem: str = ""


def compare(current: Dsn, desired: Dsn, deadline: Deadline) -> list[str]:
    """The names of what differs."""
    with closing(connect_when_ready(current, deadline)) as here, closing(connect(desired)) as there:
        return [str(each) for each in different(definitions(here), definitions(there))]


def schema_of(dsn: Dsn) -> Schema:
    """What deployed.py compares."""
    with closing(connect(dsn)) as connection:
        return schema(definitions(connection))


def draft(current: Dsn, desired: Dsn, order: Order, deadline: Deadline, say: Callable[[str], None]) -> Draft:
    """Changes the database at ``current``. Raises Blocked for what only a person can decide."""
    with closing(connect_when_ready(current, deadline)) as connection, closing(connect(desired)) as there:
        target = definitions(there)
        before = definitions(connection)
        differing = different(before, target)
        if not differing:
            return Draft()
        steps = _begin(connection, order, before, target)
        done = Files(current, order, name=order.name or _name(differing, before), files=[])
        error = done.run(steps, ())
        attempted, lost = _tried(connection, current, desired, order, target, deadline, say)
        rest = _steps(connection, attempted.done, order, target)
        say("running the migration on the test Neon database branch")
        error = error or done.run(rest, lost)
        if error:
            return _not_run(done, lost, error)
        _prove(connection, there, target)
    return Draft(tuple(done.files), lost)


def _steps(connection: Connection, statements: Sequence[str], order: Order, target: Definitions) -> list[Step]:
    """Gently, if that leads to the same schema; else as they are, which the gate judges like any other migration."""
    plainly = [Step("", tuple(statements), True)] if statements else []
    there = There(
        tables=relations(connection, "table"),
        indexes=relations(connection, "index"),
        keys=relations(connection, "key"),
        relations=relations(connection),
        nullable=frozenset((each.schema, each.table, each.column) for each in stored(connection) if each.nullable),
        partitions=partitions(connection),
        wanted=dict(_indexes_of_partitions(target)),
    )
    if order.wrapped or not there.tables:
        return plainly
    gently = gentle(statements, there=there, version=connection.info.server_version)
    with rolled_back(connection):
        failed = attempt(connection, ["set local check_function_bodies = off", *at_once(gently)])
        holds = not failed and not different(definitions(connection), target)
    return gently if holds else plainly


def _indexes_of_partitions(target: Definitions) -> Iterator[tuple[tuple[Name, Name], Name]]:
    """(index of the table above, partition), and what the index of the partition is called."""
    for each in target.values():
        if each.kind == "partition index":
            schema, index, _, home, table = parts(each.name)
            of, name = parts(each.text)
            yield ((schema, index), (home, table)), (of, name)


def _begin(connection: Connection, order: Order, before: Definitions, target: Definitions) -> list[Step]:
    """What must be there before anything else can be compared. Raises Blocked for renames that nobody decided."""
    renames = decided(order.renames, before, target)
    _check_renames(connection, order, renames, before, target)
    moves = [rename.statement for rename in renames if rename.new]
    steps = [Step("renames", tuple(moves), True)] if moves else []
    values = () if order.wrapped else tuple(added_values(before, target))
    return [*steps, Step("values", values, False)] if values else steps


@dataclass
class Files:
    """The files so far, all of which have been run on the test Neon database branch."""

    current: Dsn
    order: Order
    name: str
    files: list[Written]

    def run(self, steps: Sequence[Step], lost: Sequence[Loss]) -> tuple[str, DatabaseError] | None:
        """Write and run. Returns the place and the words of what failed; the files are there all the same."""
        made = written(
            steps,
            directory=self.order.directory,
            taken=[*self.order.taken, *(file.path for file in self.files)],
            name=self.name,
            schema=self.order.schema,
            lost=lost,
            wrapped=self.order.wrapped,
        )
        self.files += made
        runs = run_files(self.current, [(file.path, file.text) for file in made], read=_nothing, single_transaction=self.order.wrapped)
        for run in runs:
            if run.error:
                return f"{run.path}:{run.statements[-1].line}", run.error
        return None


def _nothing(name: str, including: str) -> str:
    raise FileNotFoundError(2, "a generated migration includes no file")


def _tried(
    connection: Connection, current: Dsn, desired: Dsn, order: Order, target: Definitions, deadline: Deadline, say: Callable[[str], None]
) -> tuple[Attempt, tuple[Loss, ...]]:
    """Statements after which nothing differs, and what they would take away. Raises Blocked."""
    here = definitions(connection)
    if not different(here, target):
        return Attempt(connection, target), ()
    if all(each.kind in FURNITURE for each in here.values()):
        first = _as_written(connection, order, target)
        if first:
            return first, ()
    say("comparing the schemas")
    engine = _proposed(current, desired, deadline)
    deadline.check("the comparison of the schemas")
    tried = _attempt(connection, engine, target)
    if engine and any(tried.faults):
        # Without the engine, which makes anew what can be altered.
        tried = min(tried, _attempt(connection, [], target), key=lambda each: each.faults)
    if tried.attempted.left:
        raise _inexpressible(tried.attempted)
    if order.rows:
        _check_converted(connection, tried.converted)
    values = _values(connection, order, tried.gone)
    emptied = sorted({column.of for column, count in values.items() if count and tried.is_made_anew(column)})
    if emptied:
        raise Blocked(
            "no statement is known that keeps the rows of these, which would be made anew: " + ", ".join(f"table {name}" for name in emptied),
            fix="write a migration for them by hand; the rest is generated afterwards",
        )
    return tried.attempted, tuple(_losses(values, tried))


def _proposed(current: Dsn, desired: Dsn, deadline: Deadline) -> list[str]:
    """Nothing where the engine stumbles: what the definitions make without it is proven like the rest, or refused by name."""
    try:
        return proposed(current, desired, deadline)
    except (NotInstalled, DeadlineExceeded):
        raise
    except Unavailable:
        return []


def _as_written(connection: Connection, order: Order, target: Definitions) -> Attempt | None:
    """Where nothing is there yet, the desired schema is the migration, in its own words."""
    with rolled_back(connection):
        failed = attempt(connection, ["set local check_function_bodies = off", *order.own])
        if failed or different(definitions(connection), target):
            return None
    return Attempt(connection, target, done=list(order.own))


@dataclass(frozen=True)
class Tried:
    """An attempt, and what it would cost. ``gone`` are columns whose values it takes away, ``there`` the tables afterwards."""

    attempted: Attempt
    gone: Sequence[Stored]
    converted: Sequence[tuple[Stored, str]]  # columns that get another type
    there: Mapping[str, int]
    restarted: Sequence[str]

    @property
    def faults(self) -> tuple[int, ...]:
        """The fewer the better, the first ones above all."""
        return bool(self.attempted.left), len(self.gone), len(self.restarted), self.attempted.undone

    def is_made_anew(self, column: Stored) -> bool:
        return self.there.get(column.of, column.oid) != column.oid


def _attempt(connection: Connection, engine: Sequence[str], target: Definitions) -> Tried:
    before, numbered = stored(connection), numberings(connection)
    with rolled_back(connection):
        connection.execute("set local check_function_bodies = off")
        attempted = carry_out(connection, engine, target)
        now = numberings(connection)
        again, following = restarted(numbered, now, attempted.done), continued(numbered, now, before, attempted.done)
        attempted.left += [f"sequence {name}, which would start again" for name in again if name not in following]
        for name, statement in following.items():
            failed = attempt(connection, [statement])
            if failed:
                attempted.refused[statement] = failed
                attempted.left.append(f"sequence {name}")
            attempted.done.append(statement)
        after = {(column.oid, column.number): column.type for column in stored(connection)}
        there = tables(connection)
    types = [(column, after.get((column.oid, column.number), "")) for column in before]
    gone = [column for column, type in types if not type]
    converted = [(column, type) for column, type in types if type not in ("", column.type)]
    return Tried(attempted, gone, converted, there, sorted({*again, *following}))


def _check_converted(connection: Connection, converted: Sequence[tuple[Stored, str]]) -> None:
    """Raises Blocked where a new type keeps less of a value than the old one."""
    found = [(column, type, changed_by_cast(connection, column, type)) for column, type in converted]
    listing = [f"{values} of {column.of}.{column.named} would be others as {type}" for column, type, values in found if values]
    if listing:
        raise Blocked(
            "the data that is there does not fit the desired schema: " + "; ".join(listing),
            fix="add a migration of your own that changes the type, and the values as you want them: it is run first",
        )


def _losses(values: Mapping[Stored, int], tried: Tried) -> list[Loss]:
    """By column; a whole table by its fullest column."""
    oids = set(tried.there.values())
    whole: dict[tuple[str, str], int] = {}
    found = []
    for column, count in values.items():
        table = column.schema, column.table
        if count and column.oid not in oids:
            whole[table] = max(count, whole.get(table, 0))
        elif count:
            found.append(Loss(*table, column.column, count))
    return found + [Loss(*table, "", count) for table, count in whole.items()]


def _values(connection: Connection, order: Order, columns: Sequence[Stored]) -> Mapping[Stored, int]:
    """Without the rows nobody knows; it is taken for something."""
    return values_in(connection, columns) if order.rows else dict.fromkeys(columns, 1)


def _check_renames(
    connection: Connection, order: Order, renames: Sequence[Rename], before: Definitions, target: Definitions
) -> None:
    """Nobody but a person can tell a rename from a drop."""
    answered = {rename.old for rename in renames}
    taken = {rename.new for rename in renames}
    by_name: Mapping[str, list[Stored]] = _by_name(stored(connection))
    questions = []
    for candidate in candidates(before, target):
        if candidate.old.name in answered or parts(candidate.new.name)[-1] in taken:
            continue
        values = max(_values(connection, order, by_name.get(candidate.old.name, [])).values(), default=0)
        if values:
            questions.append(_question(candidate, values))
    if questions:
        raise Blocked(
            "a rename cannot be told from a drop:\n  " + "\n  ".join(questions),
            fix="run `neon-hooks generate` with the right ones, or put them into [schema] renames of the settings",
        )


def _by_name(columns: Sequence[Stored]) -> dict[str, list[Stored]]:
    found: dict[str, list[Stored]] = {}
    for column in columns:
        names = {column.of, column.root} - {""}  # the rows of a partitioned table are its partitions'
        for table in names:
            found.setdefault(table, []).append(column)
            found.setdefault(f"{table}.{column.named}", []).append(column)
    return found


def _question(candidate: Candidate, values: int) -> str:
    old = candidate.old.name.removeprefix("public.")
    what = "values that are not null" if candidate.column else "rows"
    return (
        f"{old} has {values} {what}: --rename {old}={last(candidate.new.name)} keeps them, --rename {old}= drops them"
    )


def _inexpressible(attempted: Attempt) -> Blocked:
    named = attempted.left[:MOST_NAMED]
    more = len(attempted.left) - len(named)
    by_data = [error for error in attempted.refused.values() if error.sqlstate[:2] in BY_DATA]
    if by_data:
        return Blocked(
            "the data that is there does not fit the desired schema: "
            + "; ".join(dict.fromkeys(error.message for error in by_data))
            + f" ({', '.join([*named, *([f'and {more} more'] if more else [])])})",
            fix="add a migration of your own that corrects the values: it is run first, then generate again",
        )
    refused = list(attempted.refused.items())[:3]
    reasons = [f"{error.message} ({statement.splitlines()[0][:80]})" for statement, error in refused]
    listing = "\n  ".join([*named, *([f"and {more} more"] if more else []), *reasons])
    return Blocked(
        f"no statement is known that makes these as the desired schema has them:\n  {listing}",
        fix="write a migration for them by hand; the rest is generated afterwards",
    )


def _not_run(done: Files, lost: tuple[Loss, ...], error: tuple[str, DatabaseError]) -> Draft:
    place, said = error
    words = f"{place}: {said.message}" + (f" ({said.detail})" if said.detail else "")
    if said.sqlstate[:2] in BY_DATA:
        return Draft(tuple(done.files), lost, problem=words)
    raise Blocked(f"the migration does not run on the test Neon database branch: {words}", fix="write this migration by hand")


def _prove(connection: Connection, there: Connection, target: Definitions) -> None:
    """By both ways in which we can read a schema."""
    left = [str(each) for each in different(definitions(connection), target)]
    one, other = (comparable(schema_lines(each)) for each in (connection, there))
    left += sorted((one - other) | (other - one)) if not left else []
    if left:
        raise Blocked(
            "after the migration the schema is not the desired one: " + ", ".join(left[:MOST_NAMED]),
            fix="write a migration for them by hand",
        )


def _name(differing: Sequence[Definition], before: Definitions) -> str:
    """After the first and largest of the changes."""
    if all(each.kind in FURNITURE for each in before.values()):
        return "initial"
    for kind in ("table", "column", "view", "function", "index", "constraint"):
        for each in differing:
            if each.kind == kind:
                return slug(f"{kind} {each.name.removeprefix('public.')}")
    return slug(f"{differing[0].kind} {differing[0].name.removeprefix('public.')}")


def own_statements(files: Sequence[tuple[str, str]]) -> list[str] | None:
    """The statements of a schema, None where some of them cannot stand in a file of ours."""
    parts = [part for _, text in files for part in split(text)]
    own_transaction = re.compile(r"(?:begin|start|commit|end|rollback|set)\b", re.IGNORECASE)
    if any(part.kind != "sql" or part.copy_data is not None or own_transaction.match(part.text) for part in parts):
        return None
    return [part.text for part in parts]
