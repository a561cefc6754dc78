"""One transaction that locks one table after another, and keeps all the locks until its end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from neon_hooks.checks.blocking import Block, blocks_of
from neon_hooks.checks.forecast import MEASURABLE_ROWS
from neon_hooks.checks.idioms import Form, advice
from neon_hooks.checks.wording import Places, listed, quoted, sized
from neon_hooks.facts import Facts, UnitFacts
from neon_hooks.findings import Finding, Rule, Severity, found
from neon_hooks.limits import Limits

RULE = Rule(
    id="several-tables-locked",
    severity=Severity.WARNING,
    condition="One transaction locks several large tables one after another (a note for smaller ones).",
    effect="Each lock is kept while the next is waited for; with a program that uses the tables in another order it is"
    " a deadlock.",
    fix=Form.SEPARATE,
    bad="BEGIN;\nALTER TABLE orders ADD COLUMN state text;\nALTER TABLE customers ADD COLUMN state text;\nCOMMIT;",
    good="ALTER TABLE orders ADD COLUMN state text;\nALTER TABLE customers ADD COLUMN state text;",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    for unit in facts.units:
        transactions: dict[int, list[Block]] = defaultdict(list)
        for block in blocks_of(unit):
            transactions[block.transaction].append(block)
        places = Places(unit)
        for blocks in transactions.values():
            yield from _locked(unit, places, blocks, facts.limits)


def _locked(unit: UnitFacts, places: Places, blocks: list[Block], limits: Limits) -> Iterator[Finding]:
    """Tables that one statement locks together (a foreign key, a partition) count once."""
    busy = [block for block in blocks if (block.rows or 0) >= MEASURABLE_ROWS]
    takers = {block.held[0].by.started_ms: block.held[0].by for block in busy}
    if len(takers) < 2:
        return
    large = {block.held[0].by.started_ms for block in busy if (block.rows or 0) >= limits.large_table}
    last = takers[max(takers)]
    yield found(
        RULE,
        f"{places.name(last)} locks the last of {len(busy)} tables in one transaction:"
        f" {listed([sized(block.table, block.rows) for block in busy])}",
        severity=RULE.severity if len(large) > 1 else Severity.NOTE,
        quote=quoted(last),
        fix=advice(Form.SEPARATE, unit.unit.system),
        evidence={"tables": [block.table for block in busy], "transaction": busy[0].transaction},
        **places.details(last),
    )
