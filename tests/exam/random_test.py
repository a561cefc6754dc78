"""Random schemas and random edits: generate, apply, compare, and generate again, which writes nothing.

Every edit here can be done without a person's help, so a refusal is a failure too: columns are added with a
default or nullable, types only grow, and what is dropped is stated (``--rename OLD=``). Each table has rows,
which satisfy every constraint that an edit may add. The seed is fixed; EXAMPLES=200 in the environment looks
further.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.exam.candidates import Generate
from tests.exam.judge import RIGHT, judge
from tests.exam.pairs import Pair
from tests.exam.postgres import Server

EXAMPLES = int(os.environ.get("EXAMPLES", "6"))
ROWS = 3
NAMES = ("id", "a", "b", "c", "Odd Name", "user")
TABLES = ("alpha", "beta", "Gamma")
# Type -> an expression over n for the rows, a default, the types that it may grow to.
TYPES = {
    "integer": ("n", "7", ("bigint",)),
    "bigint": ("n", "7", ()),
    "numeric(8,2)": ("n + 0.25", "0.5", ("numeric(12,2)",)),
    "numeric(12,2)": ("n + 0.25", "0.5", ()),
    "varchar(20)": ("'v' || n", "'it''s'", ("varchar(60)", "text")),
    "varchar(60)": ("'v' || n", "'it''s'", ("text",)),
    "text": ("'v' || n", "'it''s'", ()),
    "date": ("date '2026-01-01' + n", "'2026-01-01'", ()),
    "timestamptz": ("timestamptz '2026-01-01 00:00Z' + n * interval '1 h'", "now()", ()),
    "uuid": ("md5(n::text)::uuid", "gen_random_uuid()", ()),
    "jsonb": ("jsonb_build_object('n', n)", "'{}'", ()),
    "mood": ("'sad'::mood", "'ok'", ()),
}
REPEATED = ("jsonb", "mood")  # not unique in the rows


@dataclass(frozen=True)
class Column:
    type: str
    required: bool = False
    default: bool = False
    indexed: bool = False
    unique: bool = False
    checked: bool = False
    comment: str = ""


@dataclass(frozen=True)
class Table:
    columns: dict[str, Column]
    refers_to: str = ""
    viewed: bool = False
    guarded: bool = False
    readable: bool = False


@dataclass(frozen=True)
class Schema:
    """``labels`` are those of the enum mood."""

    tables: dict[str, Table] = field(default_factory=dict)
    labels: tuple[str, ...] = ("sad", "ok")


def quoted(name: str) -> str:
    return f'"{name}"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def sql(schema: Schema) -> str:
    lines = [f"create type mood as enum ({', '.join(map(literal, schema.labels))});"]
    for name, table in schema.tables.items():
        columns = [_column(key, column) for key, column in table.columns.items()]
        lines += [f"create table {quoted(name)} (id integer primary key, {', '.join(columns)});"]
        for key, column in table.columns.items():
            lines += _beside(name, key, column)
        lines += _around(name, table)
    for name, table in schema.tables.items():
        if table.refers_to:
            target = quoted(table.refers_to)
            key = f"foreign key (id) references {target}"
            lines += [f"alter table {quoted(name)} add constraint refers {key};"]
    return "\n".join(lines) + "\n"


def _column(name: str, column: Column) -> str:
    default = f" default {TYPES[column.type][1]}" if column.default else ""
    required = " not null" if column.required else ""
    unique = " unique" if column.unique and column.type not in REPEATED else ""
    check = f" check ({quoted(name)} is not null)" if column.checked else ""
    return f"{quoted(name)} {column.type}{default}{required}{unique}{check}"


def _beside(table: str, name: str, column: Column) -> Iterator[str]:
    if column.indexed:
        yield f"create index {quoted(f'{table} {name}')} on {quoted(table)} ({quoted(name)});"
    if column.comment:
        yield f"comment on column {quoted(table)}.{quoted(name)} is {literal(column.comment)};"


def _around(name: str, table: Table) -> Iterator[str]:
    if table.viewed:
        columns = ", ".join(map(quoted, ("id", *sorted(table.columns))))
        yield f"create view {quoted(f'{name}_view')} as select {columns} from {quoted(name)};"
    if table.guarded:
        yield f"alter table {quoted(name)} enable row level security;"
        yield f"create policy positive on {quoted(name)} using (id > 0);"
    if table.readable:
        yield f"grant select on {quoted(name)} to app_reader;"


def rows(schema: Schema) -> str:
    lines = []
    for name, table in schema.tables.items():
        columns = ", ".join(map(quoted, ("id", *table.columns)))
        values = ", ".join(("n", *(TYPES[column.type][0] for column in table.columns.values())))
        series = f"generate_series(1, {ROWS}) n"
        lines.append(f"insert into {quoted(name)} ({columns}) select {values} from {series};")
    # Every table has the same ids, so that foreign keys hold in any order.
    return "\n".join(lines) + "\n"


def columns() -> st.SearchStrategy[Column]:
    flags = {name: st.booleans() for name in ("required", "default", "indexed", "unique", "checked")}
    comments = st.sampled_from(("", "", "plain", "it's 100 %"))
    return st.builds(Column, type=st.sampled_from(sorted(TYPES)), comment=comments, **flags)


def addable(column: Column) -> Column:
    """To a table with rows: one default for all of them is not unique, and without it they have null."""
    column = replace(column, unique=False)
    return column if column.default else replace(column, required=False, checked=False)


def tables() -> st.SearchStrategy[Table]:
    some = st.dictionaries(st.sampled_from(NAMES[1:]), columns(), min_size=1, max_size=4)
    return st.builds(Table, some, viewed=st.booleans(), guarded=st.booleans(), readable=st.booleans())


def schemas() -> st.SearchStrategy[Schema]:
    return st.builds(Schema, st.dictionaries(st.sampled_from(TABLES), tables(), min_size=1, max_size=2))


Edit = Callable[[DrawFn, Schema], Schema]


def _one_table(draw: DrawFn, schema: Schema, change: Callable[[Table], Table]) -> Schema:
    name = draw(st.sampled_from(sorted(schema.tables)))
    return replace(schema, tables={**schema.tables, name: change(schema.tables[name])})


def add_table(draw: DrawFn, schema: Schema) -> Schema:
    return replace(schema, tables={draw(st.sampled_from(TABLES)): draw(tables()), **schema.tables})


def drop_table(draw: DrawFn, schema: Schema) -> Schema:
    gone = draw(st.sampled_from(sorted(schema.tables)))
    left = {name: table for name, table in schema.tables.items() if name != gone}
    freed = {name: replace(t, refers_to="") if t.refers_to == gone else t for name, t in left.items()}
    return replace(schema, tables=freed) if freed else schema


def add_column(draw: DrawFn, schema: Schema) -> Schema:
    added = addable(draw(columns()))
    name = draw(st.sampled_from(NAMES[1:]))
    return _one_table(draw, schema, lambda table: replace(table, columns={name: added, **table.columns}))


def drop_column(draw: DrawFn, schema: Schema) -> Schema:
    def without_one(table: Table) -> Table:
        gone = draw(st.sampled_from(sorted(table.columns)))
        left = {name: column for name, column in table.columns.items() if name != gone}
        return replace(table, columns=left) if left else table

    return _one_table(draw, schema, without_one)


def change_column(draw: DrawFn, schema: Schema) -> Schema:
    def with_another(table: Table) -> Table:
        name = draw(st.sampled_from(sorted(table.columns)))
        old = table.columns[name]
        wider = draw(st.sampled_from((old.type, *TYPES[old.type][2])))
        new = replace(draw(columns()), type=wider)
        return replace(table, columns={**table.columns, name: new})

    return _one_table(draw, schema, with_another)


def change_table(draw: DrawFn, schema: Schema) -> Schema:
    viewed, guarded, readable = (draw(st.booleans()) for _ in range(3))
    return _one_table(
        draw, schema, lambda table: replace(table, viewed=viewed, guarded=guarded, readable=readable)
    )


def refer(draw: DrawFn, schema: Schema) -> Schema:
    """To a table that comes earlier by name: no cycles, which the rows could not enter."""
    source = draw(st.sampled_from(sorted(schema.tables)))
    targets = ["", *(name for name in sorted(schema.tables) if name < source)]
    changed = replace(schema.tables[source], refers_to=draw(st.sampled_from(targets)))
    return replace(schema, tables={**schema.tables, source: changed})


def add_label(draw: DrawFn, schema: Schema) -> Schema:
    label = draw(st.sampled_from(("happy", "it's", "so so")))
    place = draw(st.integers(0, len(schema.labels)))
    known = schema.labels
    return schema if label in known else replace(schema, labels=(*known[:place], label, *known[place:]))


EDITS: tuple[Edit, ...] = (
    add_table, drop_table, add_column, drop_column, change_column, change_table, refer, add_label
)  # fmt: skip


@st.composite
def steps(draw: DrawFn) -> tuple[Schema, Schema]:
    before = draw(schemas())
    after = before
    for edit in draw(st.lists(st.sampled_from(EDITS), min_size=1, max_size=4)):
        after = edit(draw, after)
    return before, settled(before, after)


def settled(before: Schema, after: Schema) -> Schema:
    """What came together from several edits, brought back to what the rows allow.

    A column that is new to a table with rows has one value in all of them, and one that was dropped and added
    anew is an old one with another type. A table that is new has no rows to refer to.
    """
    found = {}
    for name, table in after.tables.items():
        old = before.tables.get(name)
        if old:
            columns = {key: _settled(old.columns.get(key), column) for key, column in table.columns.items()}
            target = table.refers_to if table.refers_to in before.tables else ""
            table = replace(table, columns=columns, refers_to=target)
        found[name] = table
    return replace(after, tables=found)


def _settled(old: Column | None, column: Column) -> Column:
    if old is None:
        return addable(column)
    return column if column.type in (old.type, *TYPES[old.type][2]) else replace(column, type=old.type)


def dropped(before: Schema, after: Schema) -> Iterator[str]:
    """The developer's word for everything that is gone."""
    for name, table in before.tables.items():
        if name not in after.tables:
            yield from ("--rename", f'public."{name}"=')
            continue
        for key in table.columns.keys() - after.tables[name].columns.keys():
            yield from ("--rename", f'public."{name}"."{key}"=')


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as started:
        yield started


@settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(step=steps())
def test_any_step_is_done_and_leaves_nothing_to_do(server: Server, step: tuple[Schema, Schema]) -> None:
    before, after = step
    pair = Pair("random", sql(before), rows(before), sql(after), options=tuple(dropped(before, after)))
    note(f"{pair.before}\n{pair.data}\n--- after\n{pair.after}\n{pair.options}")
    wanted = server.database(pair.after)
    try:
        judgement = judge(pair, Generate(), server, wanted, again=True)
    finally:
        server.drop(wanted)
    assert judgement.verdict in RIGHT, judgement
