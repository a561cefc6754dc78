"""BEGIN inside a transaction, COMMIT or SET LOCAL outside one: Postgres only warns, and the tool is misled."""

from __future__ import annotations

from collections.abc import Iterator

from neon_hooks.checks.sql_text import verb
from neon_hooks.checks.wording import Places, quoted
from neon_hooks.facts import Facts, Statement
from neon_hooks.findings import Finding, Rule, Severity, found

COMMITTING = ("COMMIT", "END")
ROLLING_BACK = ("ROLLBACK", "ABORT")  # drivers send it to be sure, and nothing follows
ACTIVE, NONE = "25001", "25P01"  # active_sql_transaction, no_active_sql_transaction
RULE = Rule(
    id="nested-transaction",
    severity=Severity.WARNING,
    condition="A migration's own BEGIN or COMMIT meets the tool's, or SET LOCAL runs outside a transaction.",
    effect="The first COMMIT ends the tool's transaction: what follows is not rolled back when it fails.",
    fix="leave BEGIN and COMMIT to the tool, or tell it to open no transaction for this migration",
    bad="BEGIN;\nBEGIN;\nALTER TABLE orders ADD COLUMN state text;\nCOMMIT;\nCOMMIT;",
    good="BEGIN;\nALTER TABLE orders ADD COLUMN state text;\nCOMMIT;",
)
RULES = (RULE,)


def check(facts: Facts) -> Iterator[Finding]:
    """One finding per file: the COMMIT that finds nothing follows from the BEGIN, or from an early COMMIT."""
    for unit in facts.units:
        places, seen, ended = Places(unit), set(), None
        for statement in unit.first.statements if unit.first else ():
            ended = statement if statement.path and verb(statement) in COMMITTING else ended
            if not {ACTIVE, NONE}.intersection(statement.warnings) or verb(statement) in ROLLING_BACK:
                continue
            what = f"{_what(statement)} (a warning of Postgres, which does nothing)"
            warnings = list(statement.warnings)
            if not statement.path and ended:  # it is the tool's own that finds nothing
                statement, what = ended, "COMMIT ends the tool's transaction, whose own COMMIT then finds none"
            if statement.path in seen:
                continue
            seen.add(statement.path)
            yield found(
                RULE, what, quote=quoted(statement), evidence={"warnings": warnings}, **places.details(statement)
            )


def _what(statement: Statement) -> str:
    if ACTIVE in statement.warnings:
        return "BEGIN inside a transaction"
    if verb(statement) == "SET":
        return "SET LOCAL outside a transaction"
    return f"{verb(statement) or 'COMMIT'} outside a transaction"
