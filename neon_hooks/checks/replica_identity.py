"""A published table whose rows logical replication cannot tell apart.

https://www.postgresql.org/docs/current/logical-replication-publication.html
"""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.checks.schema import changes, new_tables
from neon_hooks.checks.wording import Places, shown
from neon_hooks.facts import Facts, Table
from neon_hooks.findings import Finding, Rule, Severity, found

RULE = Rule(
    id="replica-identity-missing",
    severity=Severity.ERROR,
    condition="After the run a published table has no primary key and no other replica identity, and had one before.",
    effect="Postgres refuses every UPDATE and DELETE on it.",
    fix="give the table a primary key, or ALTER TABLE ... REPLICA IDENTITY FULL",
    bad="ALTER TABLE events DROP CONSTRAINT events_pkey;",
    good="ALTER TABLE events REPLICA IDENTITY FULL;\nALTER TABLE events DROP CONSTRAINT events_pkey;",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        tables = [change.after for change in changes(unit) if change.after and not _is_stuck(change.before)]
        places = Places(unit)
        for table in [*tables, *new_tables(unit)]:
            if _is_stuck(table):
                yield found(
                    RULE,
                    f"{shown(table.name)} is published and has no replica identity: it can no longer be updated",
                    evidence={"table": table.name, "replica_identity": table.replica_identity},
                    **places.found_at(places.naming(table.name)),
                )


def _is_stuck(table: Table) -> bool:
    """pg_class.relreplident: d is the primary key, if there is one; n is nothing."""
    keyed = any(index.primary and index.valid for index in table.indexes)
    return table.published and (table.replica_identity == "n" or (table.replica_identity == "d" and not keyed))
