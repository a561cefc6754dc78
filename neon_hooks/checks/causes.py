"""Why a table is blocked: what a statement does with it that takes time in proportion to its rows. Pure.

What was observed decides (rewrites, scans, locks, the catalogue before and after), so that a DO block, a
function or an ORM is seen as a plain statement is. The first cause of CAUSES that applies is the one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from neon_hooks.checks.blocking import Block, attaches_indexes, indexes_partitions, table_of
from neon_hooks.checks.forecast import MEASURABLE_ROWS
from neon_hooks.checks.idioms import Form
from neon_hooks.checks.schema import TableChange, last_part
from neon_hooks.checks.sql_text import changes_rows, says, tag, verb, waits_only
from neon_hooks.facts import Statement
from neon_hooks.findings import Rule, Severity


CHECKING = r"\b(?:CHECK|NOT NULL|REFERENCES|FOREIGN KEY|PRIMARY KEY|ATTACH PARTITION|ALTER DOMAIN)\b"
CHANGING = r"\b(?:UPDATE|INSERT INTO|DELETE FROM|MERGE INTO)\s+(?:ONLY\s+)?"


@dataclass(frozen=True)
class Step:
    """One statement that ran while its transaction blocked one table. ``change``: None where not known. ``counted``:
    whether each table that it read in full is known.
    """

    statement: Statement
    block: Block
    change: TableChange | None
    counted: bool

    @property
    def table(self) -> str:
        return self.block.table


@dataclass(frozen=True)
class Cause:
    """``does`` completes "statement 2: CREATE INDEX, which ...", "" where the tag says it.

    ``grows``: it takes longer with more rows.
    """

    rule: Rule
    does: str
    applies: Callable[[Step], bool]
    form: Callable[[Step], Form]
    grows: bool = True


def _rewrites(step: Step) -> bool:
    return step.table in step.statement.rewrites


def _refreshes(step: Step) -> bool:
    """CONCURRENTLY takes no lock that counts (see blocking.harms)."""
    if step.change is not None and step.change.before.kind != "m":
        return False
    said = says(step.statement, r"\bREFRESH MATERIALIZED VIEW\b") and bool(step.block.taken_by(step.statement))
    return said or (step.change is not None and _rewrites(step))


def _scans(step: Step) -> bool:
    return step.table in step.statement.scans


def _builds_index(step: Step) -> bool:
    """The build itself locks the table in Share mode, whatever lock its ALTER TABLE has taken already."""
    made = step.change is None or bool(step.change.new_indexes) or says(step.statement, r"\bREINDEX\b")
    shared = any(lock.mode == "ShareLock" and table_of(lock) == step.table for lock in step.statement.locks)
    again = tag(step.statement) == "CREATE INDEX" and _scans(step)  # the lock is there from an earlier statement
    return made and (shared or again) and not (step.counted and attaches_indexes(step.statement))


def _drops_index(step: Step) -> bool:
    """Not the indexes that go with a column, a constraint or a table; CONCURRENTLY leaves the table alone."""
    taken = any(lock.relation == step.table for lock in step.block.taken_by(step.statement))
    names = {last_part(i.name) for i in step.change.before.indexes} if step.change else set()
    return (taken or step.block.holder(step.statement) is not None) and any(
        dropped.kind == "index" and not dropped.cascaded and last_part(dropped.identity) in names
        for dropped in step.statement.dropped
    )


def _validates_late(step: Step) -> bool:
    return _scans(step) and says(step.statement, r"\bVALIDATE CONSTRAINT\b")


def _validates(step: Step) -> bool:
    """The table was read, and there was something to check: a statement may read it for other reasons."""
    if not _scans(step):
        return False
    change = step.change
    checked = change is None or bool(change.newly_not_null or any(c.kind in "cfn" for c in change.newly_validated))
    if verb(step.statement) == "ALTER" or tag(step.statement) == "CREATE TABLE":
        return checked or says(step.statement, CHECKING)
    return verb(step.statement) == "DO" and change is not None and checked


def _works_on(step: Step) -> bool:
    """Data is changed while an earlier statement's lock is there; in a DO block while its own is."""
    if step.block.holder(step.statement):
        return not waits_only(step.statement)
    name = re.escape(last_part(step.table).upper())
    return verb(step.statement) == "DO" and says(step.statement, CHANGING + rf'(?:"?\w+"?\.)?"?{name}\b')


def _index_form(step: Step) -> Form:
    if says(step.statement, r"\bREINDEX\b"):
        return Form.REINDEX
    if indexes_partitions(step.statement):
        return Form.PARTITIONED_INDEX
    constraints = {c.kind for c in step.change.new_constraints} if step.change else set()
    return Form.UNIQUE if constraints & {"u", "p"} or verb(step.statement) == "ALTER" else Form.CREATE_INDEX


def _constraint_form(step: Step) -> Form:
    checked = bool(step.change and any(c.kind in "cf" for c in step.change.newly_validated))
    return Form.NOT_NULL if step.change and step.change.newly_not_null and not checked else Form.CONSTRAINT


TABLE_REWRITE = Rule(
    id="table-rewrite",
    severity=Severity.ERROR,
    condition="A statement writes a whole table anew while nobody can read or write it.",
    effect="Every query on the table waits until all rows and all indexes are written, and needs the space twice.",
    fix=Form.REWRITE,
    bad="ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();",
    good="ALTER TABLE orders ADD COLUMN token uuid;\n"
    "ALTER TABLE orders ALTER COLUMN token SET DEFAULT gen_random_uuid();",
)
REFRESH = Rule(
    id="blocking-refresh",
    severity=Severity.ERROR,
    condition="A materialized view is refreshed while nobody can read it.",
    effect="Every query on the view waits until it is computed anew.",
    fix=Form.REFRESH,
    bad="REFRESH MATERIALIZED VIEW order_totals;",
    good="REFRESH MATERIALIZED VIEW CONCURRENTLY order_totals;",
)
INDEX_BUILD = Rule(
    id="blocking-index-build",
    severity=Severity.ERROR,
    condition="An index is built while nobody can write to its table.",
    effect="Every INSERT, UPDATE and DELETE on the table waits until the index is built.",
    fix=Form.CREATE_INDEX,
    bad="CREATE INDEX orders_note ON orders (note);",
    good="CREATE INDEX CONCURRENTLY orders_note ON orders (note);",
)
INDEX_DROP = Rule(
    id="blocking-index-drop",
    severity=Severity.WARNING,
    condition="An index of a large table is dropped with a lock that blocks the table.",
    effect="The drop waits for every running query on the table, and meanwhile every new one waits for the drop.",
    fix=Form.DROP_INDEX,
    bad="DROP INDEX orders_placed_at;",
    good="DROP INDEX CONCURRENTLY orders_placed_at;",
)
VALIDATED_LATE = Rule(
    id="not-valid-and-validate-in-one-transaction",
    severity=Severity.ERROR,
    condition="A constraint is validated in the transaction that still holds a strong lock on its table.",
    effect="The lock that ADD CONSTRAINT took is kept while all rows are read: NOT VALID has gained nothing.",
    fix=Form.VALIDATE_LATER,
    bad="BEGIN;\nALTER TABLE orders ADD CONSTRAINT total_sign CHECK (total >= 0) NOT VALID;\n"
    "ALTER TABLE orders VALIDATE CONSTRAINT total_sign;\nCOMMIT;",
    good="ALTER TABLE orders ADD CONSTRAINT total_sign CHECK (total >= 0) NOT VALID;\n"
    "ALTER TABLE orders VALIDATE CONSTRAINT total_sign;",
)
VALIDATED = Rule(
    id="constraint-validated-under-lock",
    severity=Severity.ERROR,
    condition="All rows of a table are checked (CHECK, foreign key, NOT NULL, partition) while a lock keeps others"
    " from it.",
    effect="Writes, and with most forms reads, wait until the last row has been read.",
    fix=Form.CONSTRAINT,
    bad="ALTER TABLE orders ALTER COLUMN placed_at SET NOT NULL;",
    good="ALTER TABLE orders ADD CONSTRAINT placed_at_set CHECK (placed_at IS NOT NULL) NOT VALID;\n"
    "ALTER TABLE orders VALIDATE CONSTRAINT placed_at_set;\n"
    "ALTER TABLE orders ALTER COLUMN placed_at SET NOT NULL;",
)
BACKFILL = Rule(
    id="ddl-lock-during-backfill",
    severity=Severity.ERROR,
    condition="A transaction holds the lock of an ALTER TABLE or the like while its other statements do long work.",
    effect="The lock is kept until COMMIT: the table is blocked for the sum of all that comes after it.",
    fix=Form.SEPARATE,
    bad="BEGIN;\nALTER TABLE orders ADD COLUMN state text;\nUPDATE orders SET state = 'new';\nCOMMIT;",
    good="ALTER TABLE orders ADD COLUMN state text;\nUPDATE orders SET state = 'new' WHERE id <= 100;",
)
CAUSES = (
    Cause(REFRESH, "computes the view anew", _refreshes, lambda step: Form.REFRESH),
    Cause(TABLE_REWRITE, "rewrites the table", _rewrites, lambda step: Form.REWRITE),
    Cause(INDEX_BUILD, "builds an index", _builds_index, _index_form),
    Cause(INDEX_DROP, "drops an index", _drops_index, lambda step: Form.DROP_INDEX, grows=False),
    Cause(VALIDATED_LATE, "validates a constraint", _validates_late, lambda step: Form.VALIDATE_LATER),
    Cause(VALIDATED, "checks all rows", _validates, _constraint_form),
)
WORK = Cause(BACKFILL, "", _works_on, lambda step: Form.SEPARATE)


def cause_of(step: Step) -> Cause | None:
    """What ``step`` does with the table itself; None when it does nothing that takes long."""
    return next((cause for cause in CAUSES if cause.applies(step)), None)


def is_backfill(step: Step) -> bool:
    """Many rows are changed, so that the lock would be kept long on a larger table."""
    counted = changes_rows(step.statement) and (step.statement.rows or 0) >= MEASURABLE_ROWS
    return (counted or verb(step.statement) == "DO") and _works_on(step)
