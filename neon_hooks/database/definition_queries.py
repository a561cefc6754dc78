"""The queries behind definitions.py: one for each kind of object, each with the columns kind, name, text, create, drop, alter.

Their order is one in which the objects can be made, as far as there is one: what refers to something later is
tried again. Expects an empty search_path, so that every name comes with its schema.
"""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.database.defining.objects import (
    AGGREGATES, CASTS, COLLATIONS, COMPOSITES, DOMAINS, DOMAIN_CONSTRAINTS, DOMAIN_DEFAULTS, ENUMS, EXTENSIONS,
    FUNCTIONS, NAMED_ONLY, OPERATORS, RANGES, SCHEMAS, SEQUENCES, SEQUENCE_OWNERS, SERVERS, TEXT_SEARCH,
    TEXT_SEARCH_CONFIGURATIONS, TEXT_SEARCH_MAPPINGS, UNLOGGED_SEQUENCES, USER_MAPPINGS, domain_not_null,
)  # fmt: skip
from neon_hooks.database.defining.tables import (
    BEHIND_CONSTRAINT, CLUSTERED, COLUMN_OPTIONS, COMPRESSIONS, CONSTRAINTS, DEFAULTS, FORCED,
    FOREIGN_COLUMN_OPTIONS, IDENTITIES, INDEXES, INDEX_TARGETS, PARTITIONS, PARTITION_INDEXES, REPLICA_IDENTITY,
    ROW_SECURITY, STORAGES, TARGETS, TYPED, columns, not_null, options, tables,
)  # fmt: skip
from neon_hooks.database.defining.attached import (
    COMMENTS, EVENT_TRIGGERS, EVENT_TRIGGER_STATES, EXTENSION_DEPENDENCIES, MATERIALIZED, POLICIES, RULES,
    RULE_STATES, STATISTICS, STATISTICS_TARGETS, TRIGGERS, TRIGGER_STATES, VIEWS, publications,
)  # fmt: skip
from neon_hooks.database.defining.privileges import DEFAULT_PRIVILEGES, all_privileges


def queries(version: int) -> Iterator[str]:
    """``version`` is the server's, as in server_version_num."""
    yield from (SCHEMAS, EXTENSIONS, *NAMED_ONLY, COLLATIONS, ENUMS, DOMAINS, DOMAIN_DEFAULTS, domain_not_null(version), DOMAIN_CONSTRAINTS)
    yield from (COMPOSITES, RANGES, SERVERS, USER_MAPPINGS, TEXT_SEARCH, TEXT_SEARCH_CONFIGURATIONS, TEXT_SEARCH_MAPPINGS, SEQUENCES)
    yield from (FUNCTIONS, AGGREGATES, OPERATORS, CASTS, tables(version), columns(version), SEQUENCE_OWNERS, UNLOGGED_SEQUENCES, DEFAULTS)
    yield from (IDENTITIES, not_null(version), STORAGES, COMPRESSIONS, TARGETS, COLUMN_OPTIONS, FOREIGN_COLUMN_OPTIONS, PARTITIONS, CONSTRAINTS, TYPED, INDEX_TARGETS)
    yield options("c.relkind in ('r', 'p', 'f')", "TABLE")
    yield options("c.relkind = 'm'", "MATERIALIZED VIEW")
    # The others say it in their definitions.
    yield options(f"c.relkind in ('i', 'I') and (c.relispartition or {BEHIND_CONSTRAINT})", "INDEX")
    yield from (INDEXES, PARTITION_INDEXES, REPLICA_IDENTITY, CLUSTERED, ROW_SECURITY, FORCED, VIEWS, MATERIALIZED, RULES, RULE_STATES, TRIGGERS, TRIGGER_STATES)
    yield from (POLICIES, EXTENSION_DEPENDENCIES, STATISTICS, STATISTICS_TARGETS, EVENT_TRIGGERS, EVENT_TRIGGER_STATES, *publications(version))
    yield from all_privileges()
    yield from (DEFAULT_PRIVILEGES, COMMENTS)
