"""A new index that another one makes superfluous."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.checks.schema import changes
from neon_hooks.checks.wording import Places, shown
from neon_hooks.facts import Facts, Index
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="redundant-index",
    severity=Severity.NOTE,
    condition="A new B-tree index of an existing table has the columns that another one begins with.",
    effect="Each write of the table keeps it up to date, and no query needs it.",
    fix="leave it out, or drop the shorter one if the other is the new one",
    bad="CREATE INDEX countries_code ON countries (code);",
    good="CREATE INDEX countries_name ON countries (name);",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        places = Places(unit)
        for change in changes(unit):
            indexes = change.after.indexes if change.after else ()
            new = {index.oid for index in change.new_indexes}
            for index in indexes:
                other = next((other for other in indexes if _covers(other, index)), None)
                if other and change.after and not {index.oid, other.oid}.isdisjoint(new):
                    yield found(
                        RULE,
                        f"the index {shown(index.name)} of {shown(change.after.name)} has the columns that"
                        f" {shown(other.name)} begins with",
                        evidence={"table": change.after.name, "index": index.name, "covered_by": other.name},
                        **places.found_at(places.naming(index.name) or places.naming(other.name)),
                    )


def _covers(other: Index, index: Index) -> bool:
    """Of two that are the same, the newer one is in question. A unique one has a task of its own."""
    if index.unique or index.partial or other.partial or not (index.valid and other.valid and index.keys):
        return False
    longer = len(other.keys) > len(index.keys) or (len(other.keys) == len(index.keys) and (other.unique or other.oid < index.oid))
    return longer and other.oid != index.oid and other.keys[: len(index.keys)] == index.keys
