"""What each rule of squawk means here: the rule of ours that it is an instance of, our words, how grave. Data.

One hazard has one rule id, whoever found it: ``[rules]``, acceptance comments and reports know only ours.
squawk's own names stand in the evidence, and in .squawk.toml and ``-- squawk-ignore``, which it obeys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from neon_hooks.checks import concurrently, nested_transaction
from neon_hooks.checks.breaking import DROP, RENAME, REQUIRED
from neon_hooks.checks.causes import INDEX_BUILD, INDEX_DROP, TABLE_REWRITE, VALIDATED, VALIDATED_LATE
from neon_hooks.findings import Rule, Severity

TRUNCATED = Rule(
    id="truncate-cascade",
    severity=Severity.ERROR,
    condition="TRUNCATE ... CASCADE empties a table and every table that refers to it.",
    effect="Rows of tables that nobody named are gone.",
    fix="name the tables, or DELETE in batches",
)
PARTITION = Rule(
    id="blocking-partition-detach",
    severity=Severity.ERROR,
    condition="A partition is detached without CONCURRENTLY.",
    effect="Reads and writes of the whole partitioned table wait behind it.",
    fix="use DETACH PARTITION ... CONCURRENTLY (Postgres 14 and newer), outside of a transaction",
)
NAME = Rule(
    id="identifier-too-long",
    severity=Severity.WARNING,
    condition="A name is longer than 63 bytes.",
    effect="Postgres cuts it off with a notice; two long names may become one.",
    fix="choose a shorter name",
)
INVALID = Rule(
    id="invalid-sql",
    severity=Severity.ERROR,
    condition="The SQL cannot be read.",
    effect="Postgres refuses the statement, and the deployment stops there.",
    fix="correct the statement; the line is where reading stopped",
)
OTHER = Rule(
    id="squawk",
    severity=Severity.WARNING,
    condition="A rule of squawk's that the project's .squawk.toml includes, and that we have no word of our own for.",
    effect="That is for squawk's documentation (https://squawkhq.com/docs/rules) and the project to say.",
    fix="follow squawk's advice, or take the rule out of .squawk.toml",
)
RULES = (TRUNCATED, PARTITION, NAME, INVALID, OTHER)


@dataclass(frozen=True)
class Lint:
    """``squawk`` finds an instance of ``rule``, where the statement has ``words`` in it (a regular expression).

    ``severity`` where that is not the rule's own: text alone is another witness than a trial.
    """

    squawk: str
    rule: Rule
    message: str
    words: str = ""
    severity: Severity | None = None

    def means(self, squawk: str, sql: str) -> bool:
        return squawk == self.squawk and re.search(self.words, sql, re.IGNORECASE) is not None


# Of several lines that fit, the first counts.
LINTS = (
    Lint("syntax-error", INVALID, "this statement cannot be read"),
    Lint("ban-duplicate-column-assignments", INVALID, "a column is assigned twice, which Postgres refuses"),
    # On a table with rows it fails; only a trial knows that there are none.
    Lint("adding-required-field", REQUIRED, "a NOT NULL column without a default is added", severity=Severity.ERROR),
    Lint("adding-field-with-default", TABLE_REWRITE, "a column whose value is computed for each row is added: the table is"
         " written anew"),
    Lint("changing-column-type", TABLE_REWRITE, "the type of a column changes: the table is written anew, unless the new"
         " type only allows more", r"TYPE\s+(?:text|varchar|character\s+varying|numeric|decimal|varbit)\b",
         Severity.WARNING),
    Lint("changing-column-type", TABLE_REWRITE, "the type of a column changes: the table is written anew"),
    Lint("prefer-repack", TABLE_REWRITE, "VACUUM FULL and CLUSTER write the table anew"),
    Lint("require-concurrent-index-creation", INDEX_BUILD, "an index is built without CONCURRENTLY"),
    Lint("require-concurrent-reindex", INDEX_BUILD, "an index is built anew without CONCURRENTLY"),
    Lint("disallowed-unique-constraint", INDEX_BUILD, "a UNIQUE constraint builds its index under a strong lock"),
    Lint("adding-serial-primary-key-field", INDEX_BUILD, "a primary key builds its index under a strong lock"),
    # squawk advises NOT VALID, which Postgres has for foreign keys, CHECK and (from 18 on) NOT NULL only.
    Lint("constraint-missing-not-valid", INDEX_BUILD, "an exclusion constraint builds its index under a strong lock,"
         " and there is no way to do that concurrently", r"\bEXCLUDE\b"),
    Lint("constraint-missing-not-valid", INDEX_BUILD, "a constraint builds its index under a strong lock",
         r"\bUNIQUE\b|\bPRIMARY\s+KEY\b"),
    Lint("constraint-missing-not-valid", VALIDATED_LATE, "VALIDATE CONSTRAINT runs in the transaction that added it",
         r"\bVALIDATE\s+CONSTRAINT\b"),
    Lint("constraint-missing-not-valid", VALIDATED, "a constraint is added and checked in one step"),
    Lint("adding-foreign-key-constraint", VALIDATED, "a foreign key is added and checked in one step"),
    Lint("adding-not-nullable-field", VALIDATED, "SET NOT NULL reads the whole table under its strongest lock, unless"
         " a validated CHECK says the same"),
    Lint("ban-alter-domain-with-add-constraint", VALIDATED, "a constraint of a domain is checked in every table that"
         " uses it"),
    Lint("require-concurrent-index-deletion", INDEX_DROP, "an index is dropped without CONCURRENTLY"),
    Lint("require-concurrent-partition-detach", PARTITION, "a partition is detached without CONCURRENTLY"),
    Lint("ban-concurrent-index-creation-in-transaction", concurrently.RULE, "CONCURRENTLY inside a transaction"),
    Lint("transaction-nesting", nested_transaction.RULE, "the migration has a transaction of its own inside the tool's"),
    Lint("ban-uncommitted-transaction", nested_transaction.RULE, "a transaction is begun and never committed"),
    Lint("renaming-column", RENAME, "a column is renamed"),
    Lint("renaming-table", RENAME, "a table is renamed"),
    Lint("renaming-object", RENAME, "an object is renamed"),
    Lint("ban-set-schema", RENAME, "an object moves to another schema"),
    Lint("ban-drop-table", DROP, "a table is dropped"),
    Lint("ban-drop-column", DROP, "a column is dropped"),
    Lint("ban-drop-schema", DROP, "a schema is dropped"),
    Lint("ban-drop-database", DROP, "a database is dropped"),
    Lint("ban-drop-view", DROP, "a view is dropped", severity=Severity.WARNING),
    Lint("ban-drop-function", DROP, "a function is dropped", severity=Severity.WARNING),
    Lint("ban-drop-type", DROP, "a type is dropped", severity=Severity.WARNING),
    Lint("ban-drop-domain", DROP, "a domain is dropped", severity=Severity.WARNING),
    Lint("ban-drop-sequence", DROP, "a sequence is dropped", severity=Severity.WARNING),
    Lint("ban-drop-extension", DROP, "an extension is dropped, with all that it brought", severity=Severity.WARNING),
    Lint("ban-truncate-cascade", TRUNCATED, "TRUNCATE ... CASCADE empties tables that are not named"),
    Lint("identifier-too-long", NAME, "a name is longer than Postgres keeps"),
)  # fmt: skip

# Rules that say nothing here unless the project's .squawk.toml includes them, and why.
OFF = {
    "prefer-robust-stmts": "a transaction makes a migration repeatable, and IF NOT EXISTS hides an INVALID index",
    "require-lock-timeout": "a timeout of the role or the database does not stand in the text; a run shows it",
    "require-statement-timeout": "how long a statement takes is measured",
    "prefer-text-field": "taste: a longer varchar costs nothing",
    "ban-char-field": "taste",
    "prefer-timestamp-tz": "taste",
    "prefer-identity": "taste",
    "prefer-bigint-over-int": "not every number is a key",
    "prefer-bigint-over-smallint": "not every number is a key",
    "require-table-schema": "taste",
    "require-enum-value-ordering": "taste",
    "ban-drop-not-null": "locks for milliseconds, breaks no insert",
    "ban-drop-default": "locks for milliseconds",
    "ban-drop-constraint": "locks for milliseconds, and the rows stay",
    "ban-create-domain-with-constraint": "nothing uses a new domain yet",
}
# squawk's remark that an ignore comment had no effect; it may name a rule that is off here.
UNUSED_IGNORE = "unused-ignore"


def meaning(squawk: str, sql: str) -> Lint:
    """Our line for what squawk said of ``sql``; for a rule without one, ``squawk``."""
    found = next((lint for lint in LINTS if lint.means(squawk, sql)), None)
    return found or Lint(squawk, OTHER, f"{squawk} of squawk")
