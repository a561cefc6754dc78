"""From which measure on something counts: the settings ``[thresholds]`` and ``[tables."schema.name"]``. Pure.

All times are milliseconds on the copy of production that the migration was tried on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TableLimits:
    """How long one table may be blocked, in milliseconds."""

    reads_blocked: float = 100.0
    writes_blocked: float = 500.0


@dataclass(frozen=True)
class Limits:
    """``tables`` has limits of single tables by their name with schema ("public.orders").

    reads_blocked, writes_blocked:  milliseconds that other sessions' reads and writes may wait for one table
    large_table:    rows from which on a table is large: what is quiet below it may hurt above
    batch:          rows that one UPDATE or DELETE may touch
    compared:       rows up to which a table is copied, to compare its rows afterwards
    lock_timeout:   milliseconds; a longer one counts as none
    """

    reads_blocked: float = 100.0
    writes_blocked: float = 500.0
    large_table: int = 100_000
    batch: int = 50_000
    compared: int = 100_000
    lock_timeout: float = 10_000.0
    tables: Mapping[str, TableLimits] = field(default_factory=dict)

    def of(self, table: str) -> TableLimits:
        """The limits of a table, named with its schema. Quotes, which facts have where SQL needs them, do not count."""
        return self.tables.get(table.replace('"', "")) or TableLimits(self.reads_blocked, self.writes_blocked)
