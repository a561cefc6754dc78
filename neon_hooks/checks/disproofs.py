"""What an observation says against a linter's suspicion. Pure: a table of predicates over one statement.

Each returns the words for what was seen, "" if nothing speaks against the suspicion. Not seen is not
disproved: that something did not happen counts only where the recorder saw everything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from neon_hooks.checks.blocking import attaches_indexes
from neon_hooks.facts import Evidence, Facts, Linted, LockHeld, Statement, UnitFacts
from neon_hooks.findings import counted

# Postgres warns of BEGIN inside and COMMIT outside of a transaction (manual, appendix A).
OF_NESTING = frozenset({"25001", "25P01"})


@dataclass(frozen=True)
class Observed:
    """The statement that a suspicion is about, as it ran. ``complete``: the recorder saw all that it did."""

    facts: Facts
    linted: Linted
    statement: Statement
    complete: bool

    @property
    def old(self) -> list[LockHeld]:
        """Locks on what was there before the run."""
        return [lock for lock in self.statement.locks if lock.existed_before]

    @property
    def has_rows(self) -> bool:
        return self.facts.data != "schema-only"


Disproof = Callable[[Observed], str]


def no_rewrite(seen: Observed) -> str:
    return "no table was rewritten" if seen.complete and not seen.statement.rewrites else ""


def no_scan(seen: Observed) -> str:
    return "no table was read in full" if seen.complete and not seen.statement.scans else ""


def nothing_old_locked(seen: Observed) -> str:
    return "no table was locked that existed before" if seen.complete and not seen.old else ""


def nothing_built(seen: Observed) -> str:
    return "the partitions have their indexes already" if seen.complete and attaches_indexes(seen.statement) else ""


def small(seen: Observed) -> str:
    """Every table that was locked is known to be smaller than what [thresholds] calls large."""
    sizes = {lock.table or lock.relation: lock.rows for lock in seen.old}
    if not seen.complete or not sizes or not seen.has_rows:
        return ""
    large = [name for name, rows in sizes.items() if rows is None or rows >= seen.facts.limits.large_table]
    name, rows = max(sizes.items(), key=lambda size: size[1] or 0)
    return "" if large else f"{name} has {counted(rows or 0, 'row')}"


def ran_through(seen: Observed) -> str:
    """Postgres took it; on a copy without rows that says nothing about rows."""
    return "it ran through on the rows of the copy" if not seen.statement.error and seen.has_rows else ""


def accepted_by_postgres(seen: Observed) -> str:
    return "Postgres ran it" if not seen.statement.error else ""


def no_warning(seen: Observed) -> str:
    warned = OF_NESTING & set(seen.statement.warnings)
    return "Postgres gave no warning" if seen.complete and not warned else ""


# By the rule that is suspected.
BY_RULE: dict[str, tuple[Disproof, ...]] = {
    "table-rewrite": (no_rewrite, small),
    "constraint-validated-under-lock": (no_scan, small),
    "not-valid-and-validate-in-one-transaction": (no_scan, small),
    "blocking-index-build": (nothing_old_locked, nothing_built, small),
    "blocking-index-drop": (nothing_old_locked, small),
    "blocking-partition-detach": (nothing_old_locked, small),
    "breaking-required-column": (ran_through,),
    "concurrently-in-transaction": (accepted_by_postgres,),
    "invalid-sql": (accepted_by_postgres,),
    "nested-transaction": (no_warning,),
}
# What cannot hurt on a table that the push itself creates: nobody uses it yet, and it is empty.
HARMLESS_IF_NEW = frozenset({
    "table-rewrite", "constraint-validated-under-lock", "not-valid-and-validate-in-one-transaction",
    "blocking-index-build", "blocking-index-drop", "blocking-partition-detach", "breaking-required-column",
    "breaking-rename", "breaking-drop",
})  # fmt: skip


def disproof(facts: Facts, unit: UnitFacts, linted: Linted, rule: str) -> str:
    """Why the suspicion that ``linted`` is an instance of ``rule`` is wrong, "" if nothing says so."""
    if linted.new_table and rule in HARMLESS_IF_NEW:
        return "the table is new in this push"
    statement = observed(unit, linted)
    if statement is None or unit.first is None:
        return ""
    complete = unit.first.evidence == Evidence.FULL and statement.error is None
    seen = Observed(facts, linted, statement, complete)
    return next((words for test in BY_RULE.get(rule, ()) if (words := test(seen))), "")


def observed(unit: UnitFacts, linted: Linted) -> Statement | None:
    """The statement as it ran: of the same text in the same file, else on the same lines."""
    mine = [s for m in unit.migrations for s in m.statements if (s.path or m.path) == linted.path]
    same = [s for s in mine if plain(s.sql) == plain(linted.sql)]
    on_it = [s for s in same if linted.first <= s.line <= linted.last]
    there = [s for s in mine if s.line and linted.first <= s.line <= linted.last]
    return next(iter((*on_it, *same, *there)), None)


def plain(sql: str) -> str:
    return " ".join(sql.strip().rstrip(";").split())
