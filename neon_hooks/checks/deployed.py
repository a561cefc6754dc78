"""What the deployed code does, and cannot do any more after the migrations: known queries, and INSERTs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from neon_hooks.checks.breaking import EFFECT, is_wider
from neon_hooks.checks.idioms import Form, advice
from neon_hooks.checks.usage import by_cause, cause_of_refusal, place, queries
from neon_hooks.checks.wording import Places, listed, shown
from neon_hooks.facts import ChangedQuery, ChangedType, Deployed, Facts, Statement, TriedInsert, TriedQuery, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found
from neon_hooks.queries import PRODUCTION, Query

QUERY = Rule(
    id="breaks-deployed-query",
    severity=Severity.ERROR,
    condition="A known query of the deployed code can be prepared before the migrations, and not after them.",
    effect=EFFECT,
    fix=Form.EXPAND,
    bad="ALTER TABLE customers RENAME COLUMN email TO mail;",
    good="ALTER TABLE customers ADD COLUMN mail text;",
)
INSERT = Rule(
    id="breaks-deployed-insert",
    severity=Severity.ERROR,
    condition="A table that took a row with the columns that had to be named refuses the same INSERT after the"
    " migrations: a column demands a value, or is gone.",
    effect=EFFECT,
    fix=Form.DEFAULT,
    bad="ALTER TABLE empty_things ADD COLUMN name text NOT NULL;",
    good="ALTER TABLE empty_things ADD COLUMN name text NOT NULL DEFAULT '';",
)
CHANGED = Rule(
    id="changes-deployed-query",
    severity=Severity.WARNING,
    condition="A known query of the deployed code returns a column less than before the migrations, or takes or returns"
    " another type, which is not a wider one.",
    effect="The deployed code gets something else than it expects, if it looks at it.",
    fix=Form.EXPAND,
    bad="ALTER TABLE customers ALTER COLUMN name TYPE varchar(100)[] USING ARRAY[name];",
    good="ALTER TABLE customers ALTER COLUMN name TYPE text;",
)
UNTRIED = Rule(
    id="deployed-code-untried",
    severity=Severity.NOTE,
    acceptable=False,
    condition="Known queries could not be prepared before the migrations either, or INSERTs not be tried.",
    effect="Whether the migrations break them is not known.",
    fix="correct or remove them in the file; a query of another database, or of a temporary table, cannot be tried",
)
RULES = (QUERY, INSERT, CHANGED, UNTRIED)
OLD = "; what is no longer deployed stays there until pg_stat_statements_reset()"
LISTED = 5  # queries
LINES = 3  # of a query
LENGTH = 160  # of a line
NOT_NULL = "23502"


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        if unit.deployed is None:
            continue
        places = Places(unit)
        broken = ((tried.name, tried) for tried in unit.deployed.broken)
        for statement, group in by_cause(places, broken, lambda tried: tried.query.sql):
            yield _broken(unit, places, statement, group)
        changed = ((name, (name, each)) for each in unit.deployed.changed for name in _changes(each))
        for statement, others in by_cause(places, changed, lambda pair: pair[1].query.sql):
            yield _changed(unit, places, statement, others[0][0], [each for _, each in others])
        for insert in unit.deployed.refused:
            yield _refused(unit, places, insert)
        yield from _untried(unit, unit.deployed)


def _changes(query: ChangedQuery) -> list[str]:
    """The names of what matters."""
    types = [each for each in query.types if not is_wider(each.before, each.now)]
    return list(dict.fromkeys((*query.missing, *map(_name, types))))


def _name(changed: ChangedType) -> str:
    """Of a column; "" for a parameter, which has none."""
    return "" if changed.name.startswith("$") else changed.name


def _changed(
    unit: UnitFacts, places: Places, statement: Statement | None, name: str, group: Sequence[ChangedQuery]
) -> Finding:
    first, *others = group
    types = [each for each in first.types if not is_wider(each.before, each.now) and _name(each) == name]
    how = "returns" if name else "takes"
    told = [f"{how} {each.now} for `{each.name}`, it was {each.before}" for each in types]
    return found(
        CHANGED,
        f"{place(first.query)}{_more(others)} can still be prepared after {_named(places, statement)}, but"
        f" {listed(told) or f'returns no `{name}` any more'}",
        fix=advice(Form.EXPAND, unit.unit.system),
        evidence={"queries": [asdict(each) for each in group]},
        quote="\n".join(_shown(each.query) for each in group[:LISTED]),
        **_details(unit, places, statement),
    )


def _broken(unit: UnitFacts, places: Places, statement: Statement | None, group: Sequence[TriedQuery]) -> Finding:
    """What only production's statistics know may be of code that is gone: a warning."""
    first, *others = sorted(group, key=lambda tried: tried.query.source == PRODUCTION)
    only_seen = first.query.source == PRODUCTION
    system = unit.unit.system
    is_dropped = statement is not None and bool(statement.dropped)
    return found(
        QUERY,
        f"{place(first.query)}{_more(others)} could be prepared before {_named(places, statement)}, and cannot after:"
        f" {first.error.message}",
        severity=Severity.WARNING if only_seen else QUERY.severity,
        fix=advice(Form.FORGET if is_dropped else Form.EXPAND, system) + (OLD if only_seen else ""),
        evidence={
            "sqlstate": first.error.sqlstate,
            "name": first.name,
            "queries": [
                {"source": t.query.source, "line": t.query.line, "calls": t.query.calls, "sql": t.query.sql}
                for t in (first, *others)
            ],
        },
        quote="\n".join(_shown(tried.query) for tried in (first, *others)[:LISTED]),
        **_details(unit, places, statement),
    )


def _refused(unit: UnitFacts, places: Places, insert: TriedInsert) -> Finding:
    statement = cause_of_refusal(places, insert)
    columns = listed([f"`{column}`" for column in insert.columns]) or "no column"
    demands = insert.error.sqlstate == NOT_NULL
    return found(
        INSERT,
        f"{shown(insert.table)} took an INSERT that names {columns} before {_named(places, statement)}, and refuses it"
        f" after: {insert.error.message}{_nulls(insert)}",
        severity=Severity.WARNING if insert.existed and insert.null_fraction is None else INSERT.severity,
        fix=advice(Form.DEFAULT if demands else Form.EXPAND, unit.unit.system),
        evidence={
            "table": insert.table,
            "columns": list(insert.columns),
            "column": insert.column,
            "sqlstate": insert.error.sqlstate,
        },
        **(places.found_at(statement) if statement else _details(unit, places, None)),
    )


def _nulls(insert: TriedInsert) -> str:
    """Whether the deployed code gives a value to a column that was there before."""
    if not insert.existed:
        return ""
    if insert.null_fraction is None:
        return " (whether the deployed code always gives it one is not known)"
    return f" (about {max(1, round(insert.null_fraction * 100))} % of the rows had none before)"


def _untried(unit: UnitFacts, deployed: Deployed) -> Iterator[Finding]:
    said = []
    left = deployed.files + deployed.production - deployed.tried
    if left:
        said.append(f"{queries(left)} could not be prepared before the migrations either")
    if deployed.unread:
        said.append(f"the queries of production are not known: {deployed.unread}")
    if deployed.untried:
        said.append(f"no INSERT could be tried in {listed([shown(name) for name in deployed.untried])}")
    if said:
        first = deployed.unprepared[:LISTED]
        yield found(
            UNTRIED,
            "; ".join(said),
            quote="\n".join(f"{place(tried.query)}: {tried.error.message}" for tried in first),
            evidence={"queries": [place(tried.query) for tried in deployed.unprepared], "tables": list(deployed.untried)},
            **_details(unit, Places(unit), None),
        )


def _more(others: Sequence[object]) -> str:
    return f" and {queries(len(others)).replace('known', 'more')}" if others else ""


def _named(places: Places, statement: Statement | None) -> str:
    return places.name(statement) if statement else "the migrations"


def _details(unit: UnitFacts, places: Places, statement: Statement | None) -> dict[str, Any]:
    pushed = unit.work.pushed
    details = places.details(statement)
    return details if statement or not pushed else {**details, "path": pushed[-1].path}


def _shown(query: Query) -> str:
    lines = [line if len(line) <= LENGTH else line[:LENGTH] + " ..." for line in query.sql.splitlines()]
    more = ["  ..."] if len(lines) > LINES else []
    return "\n".join([f"{place(query)}:", *(f"  {line}" for line in lines[:LINES]), *more])
