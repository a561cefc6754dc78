"""The ways from one definition to another: what creates, drops or changes an object of each kind.

Which of them is taken, and whether it works, is found by trying (repair.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from neon_hooks.database.attempts import collated, readers, users
from neon_hooks.database.connect import Connection
from neon_hooks.database.definitions import Definition, Definitions
from neon_hooks.facts import DatabaseError
from neon_hooks.sqlreader import home, items, last, parts
from neon_hooks.sqlscript import spans

Way = Sequence[str]  # statements that go together
OF_A_DOMAIN = frozenset({"domain default", "domain not null", "domain constraint"})
# What goes with these by CASCADE holds no values, and is made again from the desired schema.
CASCADES = frozenset({"view", "materialized view", "function", "procedure", "aggregate", "constraint", "operator", "index"})


@dataclass
class Attempt:
    """What has been done in the transaction, in order, and what could not be."""

    connection: Connection
    desired: Definitions
    done: list[str] = field(default_factory=list)
    refused: dict[str, DatabaseError] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    before: Definitions = field(default_factory=dict)
    current: Definitions = field(default_factory=dict)  # when the round began
    undone: bool = False  # whether the engine had made something that had to be dropped again


def creates(desired: Definitions, current: Definitions, new: Definition) -> Iterator[Way]:
    """A sequence goes on where it was, whatever becomes of the column that it fills."""
    if new.kind == "identity":
        sequence = _sequence_of(new)
        if ("sequence", sequence) in current:  # that of a serial column
            yield _replaced(sequence, new.create, f"DROP SEQUENCE {_aside(sequence)}")
    if new.kind == "sequence":
        for old in _former(desired, current, new):
            yield [f"ALTER SEQUENCE {old} RENAME TO {last(new.name)}"]
    if new.create:
        yield [new.create]


def drops(desired: Definitions, old: Definition) -> Iterator[Way]:
    if old.kind == "identity":
        sequence = desired.get(("sequence", _sequence_of(old)))
        if sequence and sequence.create:  # that of a serial column from now on
            yield _replaced(sequence.name, sequence.create, old.drop)
    if old.drop:
        yield [old.drop]
        if old.kind in CASCADES:
            yield [f"{old.drop} CASCADE"]


def changes(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    """Ways from one to the other, the gentlest first. No way loses what somebody stored."""
    if new.kind in SPECIAL:
        yield from SPECIAL[new.kind](made, old, new)
    if new.alter:
        yield [new.alter]
    if old.drop and new.create and new.kind not in ("column", "table", "sequence", "schema", "extension"):
        yield [old.drop, new.create]
        if new.kind in CASCADES:
            yield [f"{old.drop} CASCADE", new.create]


def _sequence_of(identity: Definition) -> str:
    return identity.text.removeprefix("ALWAYS ").removeprefix("BY DEFAULT ")


def _aside(sequence: str) -> str:
    name = parts(sequence)[-1][:55].replace('"', '""')
    return f'{home(sequence)}."{name}_before"'


def _replaced(sequence: str, create: str, drop: str) -> Way:
    """A sequence by another of the same name, which goes on counting from there."""
    aside, literal = _aside(sequence), sequence.replace("'", "''")
    rename = f"ALTER SEQUENCE {sequence} RENAME TO {last(aside)}"
    return [rename, create, f"SELECT setval('{literal}', last_value, is_called) FROM {aside}", drop]


def _former(desired: Definitions, current: Definitions, new: Definition) -> Iterator[str]:
    """Names of sequences that nobody wants any more and that belong to the column of the new one."""
    columns = {each.name for each in desired.values() if each.kind == "identity" and _sequence_of(each) == new.name}
    owner = desired.get(("sequence owner", new.name))
    columns |= {owner.text} if owner else set()
    for each in current.values():
        sequence, column = (_sequence_of(each), each.name) if each.kind == "identity" else (each.name, each.text)
        if each.kind in ("identity", "sequence owner") and column in columns and ("sequence", sequence) not in desired:
            yield sequence


def _column(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    table = home(new.name)
    generated = " GENERATED ALWAYS AS "
    if generated in new.text and generated in old.text:
        yield [old.drop, new.create]
        yield [f"{old.drop} CASCADE", new.create]
        return
    column = f"ALTER TABLE {table} ALTER COLUMN {last(new.name)}"
    if generated not in new.text and generated not in old.text:
        # Refuses values that do not fit, where USING would cut them off.
        yield [f"{column} TYPE {new.text}"]
        yield [f"{column} DROP DEFAULT", f"{column} TYPE {new.text}"]
    if generated in old.text and old.text.partition(generated)[0] == new.text:
        yield [f"{column} DROP EXPRESSION"]
    if new.alter:
        yield [new.alter]
        yield [f"{column} DROP DEFAULT", new.alter]
        views = readers(made.connection, table)
        if views:
            yield [*views, new.alter]
            yield [*views, f"{column} DROP DEFAULT", new.alter]
        followers = _generated_from(made.current, table, last(new.name))
        if followers:  # they come again, with the values that follow from the new ones
            yield [*(f"{each.drop} CASCADE" for each in followers), *views, new.alter]


def _generated_from(current: Definitions, table: str, column: str) -> list[Definition]:
    speaks = re.compile(rf"GENERATED ALWAYS AS \(.*(?<![\w$]){re.escape(column)}(?![\w$])", re.DOTALL)
    return [each for each in current.values() if each.kind == "column" and home(each.name) == table and speaks.search(each.text)]


def _table(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    one, other = (text.removeprefix("UNLOGGED ") for text in (old.text, new.text))
    if one == other:
        yield [f"ALTER TABLE {new.name} SET {'UNLOGGED' if new.text.startswith('UNLOGGED ') else 'LOGGED'}"]
    parents, wanted = _parents(one), _parents(other)
    if one.startswith(" INHERITS ") or other.startswith(" INHERITS "):
        yield [
            *(f"ALTER TABLE {new.name} NO INHERIT {parent}" for parent in parents if parent not in wanted),
            *(f"ALTER TABLE {new.name} INHERIT {parent}" for parent in wanted if parent not in parents),
        ]
    if not one and other.startswith(" PARTITION BY "):
        # It becomes a partition of the new one, with the rows that it has.
        for each in made.desired.values():
            if each.kind == "partition" and each.text.startswith(f"{new.name} ") and home(each.name) == home(new.name):
                yield [f"ALTER TABLE {new.name} RENAME TO {last(each.name)}", new.create, each.create]


def _parents(text: str) -> list[str]:
    """``INHERITS (public.a, public.b)``."""
    return items(text.removeprefix(" INHERITS (").removesuffix(")")) if text.startswith(" INHERITS (") else []


def _constraint(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    table = home(new.name)
    if old.text == f"{new.text} NOT VALID":
        yield [f"ALTER TABLE {table} VALIDATE CONSTRAINT {last(new.name)}"]
    (was, _), (now, deferred) = (_deferred(each.text) for each in (old, new))
    if was == now and now.startswith("FOREIGN KEY"):
        yield [f"ALTER TABLE {table} ALTER CONSTRAINT {last(new.name)} {deferred or 'NOT DEFERRABLE'}"]


def _deferred(text: str) -> tuple[str, str]:
    """A constraint without, and the words about, when it is looked at."""
    for words in (" DEFERRABLE INITIALLY DEFERRED", " DEFERRABLE"):
        if text.endswith(words):
            return text.removesuffix(words), words.strip()
    return text, ""


def _composite(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    """Attributes can come, and change their types where no table has them; one that goes would take values with it."""
    before, after = ({parts(each)[0]: each for each in items(text)} for text in (old.text, new.text))
    if list(after)[: len(before)] == list(before):
        way = []
        for name, attribute in after.items():
            if name not in before:
                way.append(f"ALTER TYPE {new.name} ADD ATTRIBUTE {attribute} CASCADE")
            elif attribute != before[name]:
                called = next(spans(attribute))[1]
                way.append(f"ALTER TYPE {new.name} ALTER ATTRIBUTE {called} TYPE {attribute[len(called):].strip()} CASCADE")
        yield way


def _collation(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    """Anew, while its columns have that of their types."""
    away: list[str] = []
    back: list[str] = []
    for table, column, type in collated(made.connection, old.name):
        away += [view for view in readers(made.connection, table) if view not in away]
        away.append(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {type}")
        back.append(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {type} COLLATE {new.name}")
    if back:
        yield [*away, old.drop, new.create, *back]


def _domain(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    """With its constraints, which cannot be added while arrays of it are in a table."""
    own = [
        each.create for each in made.desired.values()
        if each.kind in OF_A_DOMAIN and new.name in (each.name, home(each.name))
    ]  # fmt: skip
    yield from _remade(made, old, new, old.text.partition(" COLLATE ")[0], own)


def _enum(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    yield from _remade(made, old, new, "text", (), using=True)


def _remade(
    made: Attempt, old: Definition, new: Definition, between: str, more: Sequence[str], *, using: bool = False
) -> Iterator[Way]:
    """The type anew, while its columns are of another one. Their defaults are made again from the desired schema.

    What goes back without USING refuses values that do not fit.
    """
    columns = users(made.connection, old.name)
    away: list[str] = []
    back: list[str] = []
    for table, column, brackets, has_default in columns:
        alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
        away += [view for view in readers(made.connection, table) if view not in away]
        away += [f"{alter} DROP DEFAULT"] if has_default else []
        away.append(f"{alter} TYPE {between}{brackets}")
        cast = f" USING {column}::{new.name}{brackets}" if using else ""
        back.append(f"{alter} TYPE {new.name}{brackets}{cast}")
    if columns:
        yield [*away, old.drop, new.create, *more, *back]


def _not_null(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    """Since Postgres 18 they have names."""
    if not (old.text and new.text):
        return
    table = home(new.name)
    (was, flags), (name, wanted) = (_name_and_flags(each.text) for each in (old, new))
    way = [] if was == name else [f"ALTER TABLE {table} RENAME CONSTRAINT {was} TO {name}"]
    if flags == wanted:
        yield way
    elif flags == " NOT VALID" and not wanted:
        yield [*way, f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"]


def _name_and_flags(text: str) -> tuple[str, str]:
    match = re.match(r'("(?:[^"]|"")*"|[^ ]+)(.*)', text)
    assert match
    return match[1], match[2]


def _view(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    """CREATE OR REPLACE keeps what hangs on it, and options that the new one does not name."""
    yield [f"ALTER VIEW {new.name} RESET (security_barrier, security_invoker, check_option)", new.alter]
    yield [new.alter]


def _sequence(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    """START alone is for the next RESTART, which one that counts already does not get."""
    renamed = any(each.startswith("ALTER SEQUENCE ") and each.endswith(f" RENAME TO {last(new.name)}") for each in made.done)
    start, wanted = (re.findall(r" START WITH (-?[0-9]+)", each.text) for each in (old, new))
    yield [new.alter if start == wanted or renamed or new.key in made.before else f"{new.alter} RESTART"]


def _identity(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    one, other = _sequence_of(old), _sequence_of(new)
    kind = [] if old.text.removesuffix(one) == new.text.removesuffix(other) else [new.alter]
    yield [*([] if one == other else [f"ALTER SEQUENCE {one} RENAME TO {last(other)}"]), *kind]


def _partition(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    """Between two parents it has the chance to take over what the new one calls its constraints."""
    renamed = [
        way[0] for key, each in made.current.items()
        if each.kind == "not null" and home(each.name) == new.name and key in made.desired
        for way in _not_null(made, each, made.desired[key]) if len(way) == 1
    ]  # fmt: skip
    yield [old.drop, *renamed, new.create]


def _materialized_view(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    """One that people read is filled at once."""
    create = new.create.removesuffix(" WITH NO DATA")
    yield [old.drop, create]
    yield [f"{old.drop} CASCADE", create]


def _partition_index(made: Attempt, old: Definition, new: Definition) -> Iterator[Way]:
    yield [f"ALTER INDEX {old.text} RENAME TO {last(new.text)}"]


SPECIAL: Mapping[str, Callable[[Attempt, Definition, Definition], Iterator[Way]]] = {
    "column": _column,
    "table": _table,
    "constraint": _constraint,
    "collation": _collation,
    "composite type": _composite,
    "domain": _domain,
    "enum": _enum,
    "not null": _not_null,
    "view": _view,
    "sequence": _sequence,
    "identity": _identity,
    "partition": _partition,
    "materialized view": _materialized_view,
    "partition index": _partition_index,
}
