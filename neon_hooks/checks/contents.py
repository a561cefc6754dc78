"""What the migrations did to rows that were there before: gone, or other values than before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from neon_hooks.checks.wording import Places, listed, shown
from neon_hooks.facts import Contents, Facts, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, counted, found

REMOVED = Rule(
    id="rows-removed",
    severity=Severity.ERROR,
    condition="Rows that a table had before the migrations are not in it afterwards.",
    effect="They are gone; a rollback does not bring them back.",
    fix="keep them until nothing needs them, or say in an acceptance comment why they may go",
)
CHANGED = Rule(
    id="values-changed",
    severity=Severity.ERROR,
    condition="A column has another type after the migrations, and values in it are not what they were.",
    effect="Digits, characters or time zones are gone from them; changing the type back does not restore them.",
    fix="choose a type that holds all values, or say in an acceptance comment why they may change",
)
UNCOMPARED = Rule(
    id="rows-not-compared",
    severity=Severity.NOTE,
    acceptable=False,
    condition="The migrations change a table whose rows were not compared with those before.",
    effect="What is lost there was counted only as far as single statements tell.",
    fix="tables that no migration names, or that have no primary key, are not compared; for larger ones raise"
    " `[thresholds] compared`",
)
RULES = (REMOVED, CHANGED, UNCOMPARED)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        places = Places(unit)
        for table in unit.contents:
            yield from _removed(unit, places, table)
            yield from _changed(places, table)
        if unit.uncompared:
            yield found(
                UNCOMPARED,
                f"the rows of {listed([shown(name) for name in unit.uncompared])} were not compared with those before",
                path=unit.unit.migrations_dir,
                system=unit.unit.system,
                evidence={"tables": list(unit.uncompared)},
            )


def _removed(unit: UnitFacts, places: Places, table: Contents) -> Iterator[Finding]:
    told = {lost.relation for s in (unit.first.statements if unit.first else ()) for lost in s.lost if not lost.column}
    if table.missing and table.table not in told:  # data-dropped has counted a TRUNCATE
        yield found(
            REMOVED,
            f"{counted(table.missing, 'row')} of {table.rows} in {shown(table.table)} {'is' if table.missing == 1 else 'are'} gone after the migrations",
            evidence={"table": table.table, "before": table.rows, "removed": table.missing},
            **places.found_at(places.naming(table.table, r"\bDELETE\b|\bMERGE\b") or places.naming(table.table)),
        )


def _changed(places: Places, table: Contents) -> Iterator[Finding]:
    for column in table.columns:
        if column.type == column.type_now:
            continue
        yield found(
            CHANGED,
            f"{counted(column.values, 'value')} of {shown(f'{table.table}.{column.name}')} are not what they were:"
            f" {column.type} became {column.type_now}",
            evidence={"table": table.table, "rows": table.rows, **asdict(column)},
            **places.found_at(places.naming(column.name, r"\bTYPE\b") or places.naming(table.table, r"\bTYPE\b")),
        )
