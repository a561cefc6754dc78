"""A json column: the type has no equality, so queries that need one break."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.checks.schema import changes
from neon_hooks.checks.wording import Places
from neon_hooks.facts import Facts
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="json-column",
    severity=Severity.NOTE,
    condition="An existing table gets a column of type json.",
    effect="SELECT DISTINCT, GROUP BY and UNION over its rows fail from then on: json has no equality operator.",
    fix="use jsonb",
    bad="ALTER TABLE orders ADD COLUMN extra json;",
    good="ALTER TABLE orders ADD COLUMN extra jsonb;",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        places = Places(unit)
        for change in changes(unit):
            for column in change.new_columns:
                if column.type == "json":
                    yield found(
                        RULE,
                        f"`{change.before.name.removeprefix('public.')}.{column.name}` is json",
                        evidence={"table": change.before.name, "column": column.name},
                        **places.found_at(places.naming(column.name, r"\bALTER\b")),
                    )
