"""What running code may use, and no longer finds: by the catalogue before and after, so whatever the statement was.

Code and schema are never deployed at the same moment. A name that is still there afterwards, be it as a view
or as a new column, breaks nothing. What is taken away with its data is data-dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neon_hooks.checks.idioms import Form, advice
from neon_hooks.checks.schema import TableChange, changes
from neon_hooks.checks.sql_text import says
from neon_hooks.checks.usage import usage
from neon_hooks.checks.wording import Places, shown
from neon_hooks.facts import Column, Facts, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found

EFFECT = (
    "The deployed code fails on it, from this migration on until the new code is everywhere; so does a rollback of"
    " the code."
)
RENAME = Rule(
    id="breaking-rename",
    severity=Severity.WARNING,
    condition="A table, a column or an enum value is renamed or moved, and nothing has the old name afterwards.",
    effect=EFFECT,
    fix=Form.EXPAND,
    bad="ALTER TABLE customers RENAME COLUMN email TO mail;",
    good="ALTER TABLE customers ADD COLUMN mail text;",
)
DROP = Rule(
    id="breaking-drop",
    severity=Severity.WARNING,
    condition="A table, a view or a column that holds no data is dropped.",
    effect=EFFECT,
    fix=Form.FORGET,
    bad="DROP VIEW recent_orders;",
    good="CREATE OR REPLACE VIEW recent_orders AS SELECT id, customer_id, placed_at FROM orders WHERE id > 10;",
)
TYPE_CHANGE = Rule(
    id="breaking-type-change",
    severity=Severity.WARNING,
    condition="A column gets a type that does not hold, or does not print, all that the old one did.",
    effect=EFFECT,
    fix=Form.EXPAND,
    bad="ALTER TABLE countries ALTER COLUMN code TYPE varchar(2);",
    good="ALTER TABLE countries ALTER COLUMN code TYPE text;",
)
REQUIRED = Rule(
    id="breaking-required-column",
    severity=Severity.WARNING,
    condition="An existing table gets a NOT NULL column without a default, or such a column loses its default.",
    effect="The INSERTs of the deployed code, which does not name the column, fail.",
    fix=Form.DEFAULT,
    bad="ALTER TABLE empty_things ADD COLUMN name text NOT NULL;",
    good="ALTER TABLE empty_things ADD COLUMN name text NOT NULL DEFAULT '';",
)
RULES = (RENAME, DROP, TYPE_CHANGE, REQUIRED)
FORMS = {RENAME.id: Form.EXPAND, TYPE_CHANGE.id: Form.EXPAND, DROP.id: Form.FORGET, REQUIRED.id: Form.DEFAULT}
# Every value of the one is a value of the other, and most drivers hand out the same thing for both.
WIDER = {
    ("smallint", "integer"),
    ("smallint", "bigint"),
    ("integer", "bigint"),
    ("real", "double precision"),
    ("cidr", "inet"),
    ("json", "jsonb"),
}
KINDS = ("table", "table column", "view", "materialized view", "foreign table")
TEXTS = ("character varying", "text", "citext")
TYPE = re.compile(r"(?P<name>[^(]+?)(?:\((?P<first>\d+)(?:,(?P<second>-?\d+))?\))?")


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        places = Places(unit)
        told = _told(unit)
        names = {table.name for table in unit.after.tables.values()} if unit.after else set()
        for change in changes(unit):
            yield from _table(unit, places, change, told, names)
        yield from _enum_values(unit, places)


def _told(unit: UnitFacts) -> frozenset[tuple[str, str]]:
    """(table, column, or "") of what data-dropped and cascaded-drop speak of."""
    statements = unit.first.statements if unit.first else ()
    lost = {(lost.relation, lost.column) for s in statements for lost in s.lost if lost.values}
    cascaded = {each.identity for s in statements for each in s.dropped if each.cascaded and each.kind in KINDS}
    return frozenset(lost | {(name, "") for name in cascaded} | {name.rpartition(".")[::2] for name in cascaded})


def _table(
    unit: UnitFacts, places: Places, change: TableChange, told: frozenset[tuple[str, str]], names: set[str]
) -> Iterator[Finding]:
    """``names`` are those of all tables afterwards."""
    name, after = change.before.name, change.after
    gone = name not in names
    if after is None:
        if gone and (name, "") not in told:
            yield _broken(unit, places, DROP, f"{shown(name)} is dropped", name)
        return
    if gone:
        yield _broken(unit, places, RENAME, f"{shown(name)} is called {shown(after.name)} now", name)
    columns = {column.name for column in after.columns}
    for before, now in change.columns:
        label = f"`{name.removeprefix('public.')}.{before.name}`"
        if now is None:
            if before.name not in columns and (name, before.name) not in told:
                yield _broken(unit, places, DROP, f"{label} is dropped", before.name)
        elif now.name != before.name and before.name not in columns:
            yield _broken(unit, places, RENAME, f"{label} is called `{now.name}` now", before.name)
        elif not is_wider(before.type, now.type):
            yield _broken(unit, places, TYPE_CHANGE, f"{label} is {now.type} now, it was {before.type}", before.name)
        if now and _demands(now) and not _demands(before) and before.not_null:
            yield _broken(unit, places, REQUIRED, f"{label} is NOT NULL and has no default any more", before.name)
    for column in change.new_columns:
        if _demands(column):
            yield _broken(unit, places, REQUIRED, f"{shown(name)} demands a value for `{column.name}`", column.name)


def _demands(column: Column) -> bool:
    return column.not_null and not column.default


def _broken(unit: UnitFacts, places: Places, rule: Rule, message: str, name: str) -> Finding:
    statement = places.naming(name, r"\b(?:ALTER|DROP|CREATE)\b")
    form = FORMS.get(rule.id)
    if form is Form.FORGET and "." in name:  # a table or a view: the idioms are for columns
        form = None
    fix = advice(form, unit.unit.system) if form else rule.fix
    message += usage(unit, places, statement, "" if rule is TYPE_CHANGE else name)
    return found(rule, message, fix=fix, evidence={"name": name}, **places.found_at(statement))


def _enum_values(unit: UnitFacts, places: Places) -> Iterator[Finding]:
    """The catalogue of tables has no enums: this one is read from the text."""
    for statement in unit.first.statements if unit.first else ():
        if statement.error is None and says(statement, r"\bALTER TYPE\b.*\bRENAME VALUE\b"):
            yield found(
                RENAME,
                f"{places.name(statement)} renames a value of an enum",
                fix="add a new value beside it, and let the code use that",
                **places.found_at(statement),
            )


def is_wider(old: str, new: str) -> bool:
    """Whether running code can go on as if the column still had its old type, as format_type() prints it."""
    if old == new or (old, new) in WIDER:
        return True
    before, after = TYPE.fullmatch(old), TYPE.fullmatch(new)
    if before is None or after is None:
        return False
    if before["name"] in TEXTS and after["name"] in TEXTS:
        return after["first"] is None or (before["first"] is not None and int(after["first"]) >= int(before["first"]))
    if before["name"] != after["name"]:
        return False
    if after["first"] is None:
        return True
    if before["first"] is None:
        return False
    scales = int(before["second"] or 0), int(after["second"] or 0)
    whole = int(before["first"]) - scales[0], int(after["first"]) - scales[1]
    return scales[1] >= scales[0] and whole[1] >= whole[0]
