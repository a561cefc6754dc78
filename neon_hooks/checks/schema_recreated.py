"""Hibernate is told to drop the schema and make it anew."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="schema-recreated",
    severity=Severity.ERROR,
    condition="Hibernate's hbm2ddl.auto (Spring Boot: ddl-auto) is create, create-drop or create-only.",
    effect="Each start of the program drops the tables of its entities, with their rows.",
    fix="set it to validate or none, and change the schema by Flyway or Liquibase",
)
RULES = (RULE,)
DESTRUCTIVE = frozenset({"create", "create-drop", "create-only", "drop-and-create"})


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        auto = unit.unit.options.get("ddl_auto", "")
        if auto in DESTRUCTIVE:
            yield found(
                RULE,
                f"hbm2ddl.auto is {auto}: the program drops its tables when it starts",
                path=unit.unit.evidence[-1],
                system=unit.unit.system,
                evidence={"hbm2ddl.auto": auto},
            )
