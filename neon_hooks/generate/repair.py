"""One schema turned into another in a transaction, statement by statement, until nothing differs.

The engine's statements come first, in any order in which they run; what differs afterwards is made, altered or
dropped by the definitions of the desired schema. All that is believed is the comparison at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from neon_hooks.database.attempts import attempt
from neon_hooks.database.connect import Connection
from neon_hooks.database.definitions import Definition, Definitions, definitions
from neon_hooks.facts import DatabaseError
from neon_hooks.generate.ways import Attempt, Way, changes, creates, drops
from neon_hooks.sqlreader import Reader

ROUNDS = 5
BY_DATA = ("22", "23")  # SQLSTATE classes of data exceptions and violated constraints: what is stored does not fit
# First what holds other objects: with a table come its columns, and go its constraints.
HOLDERS = frozenset(
    "schema extension collation enum domain server sequence function procedure aggregate operator cast table view"
    " publication statistics".split()
) | {"composite type", "range type", "materialized view", "event trigger", "text search dictionary", "text search configuration"}
OF_A_COLUMN = frozenset({"default", "not null", "identity"})
LAST = frozenset({"privilege", "default privilege", "comment", "partition index"})
# A partition is attached when it has all that its parent has.
STATES = frozenset({"trigger state", "rule state", "event trigger state", "publication options", "statistics object target", "cluster", "partition"})


def carry_out(connection: Connection, engine: Sequence[str], desired: Definitions) -> Attempt:
    """Inside of a transaction of the caller's. ``left`` names what still differs."""
    made = Attempt(connection, desired, before=definitions(connection))
    _run(made, [list(_engines(statement)) for statement in engine])
    by_engine = len(made.done)
    new = [each.drop for key, each in definitions(connection).items() if key not in made.before and each.drop] if engine else []
    for _ in range(ROUNDS):
        made.refused.clear()  # the repair does without the engine's, or says so itself
        before = len(made.done)
        for stage in STAGES:
            for _ in range(ROUNDS):
                if not _repair(made, stage):
                    break
        if len(made.done) == before:
            break
    made.left = [str(each) for each in different(definitions(connection), desired)]
    made.undone = any(statement in new for statement in made.done[by_engine:])
    return made


def _engines(statement: str) -> Iterator[Way]:
    """Without its USING a change of type refuses values that do not fit; with it, it cuts them off."""
    reader = Reader(statement)
    if reader.takes("alter table") and all(reader.name()) and reader.takes("alter column") and reader.part():
        if reader.takes("set data type"):
            start = len(statement) - len(reader.rest)
            while not reader.ended and reader.word() != "using":
                reader.at += 1
            if not reader.ended:
                yield [f"{statement[:start]}{statement[start : len(statement) - len(reader.rest)].rstrip()}"]
    yield [statement]


def different(current: Definitions, desired: Definitions) -> list[Definition]:
    """The objects that are only in one, or not the same in both."""
    changed = [each for key, each in desired.items() if key not in current or current[key].text != each.text]
    return changed + [each for key, each in current.items() if key not in desired]


def _stage(kind: str) -> int:
    return 0 if kind in HOLDERS else 2 if kind in STATES else 3 if kind in LAST else 1


STAGES = range(4)


def _repair(made: Attempt, stage: int) -> bool:
    """One round for the kinds of one stage; whether anything could be done."""
    made.current = current = definitions(made.connection)
    fixes: list[list[Way]] = []
    for each in reversed(list(current.values())):
        if _stage(each.kind) == stage and each.key not in made.desired and not _comes_with(each, current, made.desired):
            fixes.append(list(drops(made.desired, each)))
    for each in made.desired.values():
        if _stage(each.kind) != stage or _comes_with(each, made.desired, current):
            continue
        old = current.get(each.key)
        if old is None:
            fixes.append(list(creates(made.desired, current, each)))
        elif old.text != each.text:
            fixes.append(list(changes(made, old, each)))
    before = list(made.done)
    _run(made, [ways for ways in fixes if ways])
    # What is done again changes nothing, whatever it says.
    return any(statement not in before for statement in made.done[len(before) :])


def _comes_with(each: Definition, there: Definitions, not_there: Definitions) -> bool:
    """What a column brings when it comes, and takes with it when it goes."""
    column = ("column", each.name)
    return each.kind in OF_A_COLUMN and column in there and column not in not_there


def _run(made: Attempt, fixes: list[list[Way]]) -> None:
    """Each fix by the first of its ways that works; what fails is tried again after the others."""
    while fixes:
        waiting = []
        refused: dict[str, DatabaseError] = {}
        for ways in fixes:
            error = _first(made, ways)
            if error:
                waiting.append(ways)
                refused[ways[0][0]] = error
        if len(waiting) == len(fixes):
            made.refused |= refused
            return
        fixes = waiting


def _first(made: Attempt, ways: list[Way]) -> DatabaseError | None:
    """Why none of them works. Where the data does not fit, no other way is tried: it could make it fit."""
    first = None
    for way in ways:
        error = attempt(made.connection, way)
        if error is None:
            made.done += way
            return None
        # A table whose rows do not fit into one partition may fit into another.
        if error.sqlstate[:2] in BY_DATA and " ATTACH PARTITION " not in way[-1]:
            return error
        first = first or error
    return first
