"""When a query of ours is put in front of the client's next one: only if that changes nothing for the
client, and costs little. Knows command tags, no protocol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

SNAPSHOT, COUNT = "snapshot", "count"
# Snapshots may take this share of a connection's time, plus an allowance for short runs.
SHARE, ALLOWANCE = 0.03, 0.05
QUIET = 0.005  # seconds; a SELECT that is quicker takes no lock that is worth a look
NO_LOCKS = {
    "BEGIN", "START TRANSACTION", "SET", "RESET", "SHOW", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "DEALLOCATE",
    "PREPARE", "LISTEN", "UNLISTEN", "NOTIFY", "DISCARD", "SET CONSTRAINTS", "CLOSE CURSOR", "DECLARE CURSOR", "FETCH",
}  # fmt: skip
# After these alone a transaction has not decided yet what it sees, and its isolation level can still be set
# (Postgres' PlannedStmtRequiresSnapshot): a query of ours would decide it.
UNDECIDED = {
    "BEGIN", "START TRANSACTION", "SET", "RESET", "SHOW", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "LISTEN",
    "UNLISTEN", "NOTIFY", "SET CONSTRAINTS", "FETCH", "MOVE", "LOCK TABLE", "CHECKPOINT", "",
}  # fmt: skip
ENDS = re.compile(r"\s*(?:commit|end)\b", re.IGNORECASE)


class Looks:
    """``snapshot`` and ``count``: see Session."""

    def __init__(self, snapshot: str, count: Callable[[str], str], opened: float) -> None:
        self._snapshot = snapshot
        self._count = count
        self._opened = opened
        self._spent = 0.0
        self._is_due = False  # something happened since the last snapshot
        self._is_decided = False  # the transaction has taken a snapshot (in Postgres' sense) of its own
        self._counted = ""

    def before(self, sql: str, status: str, now: float) -> Sequence[tuple[str, str]]:
        """(purpose, query) of what is to be put in front of ``sql``."""
        queries = []
        if self._snapshot and status == "T" and self._is_due and self._may_look(sql, now):
            self._is_due = False
            queries.append((SNAPSHOT, self._snapshot))
        counting = self._count(sql) if sql and sql != self._counted else ""
        if counting:
            self._counted = sql  # not once more when it is executed in a later message
            queries.append((COUNT, counting))
        return queries

    def _may_look(self, sql: str, now: float) -> bool:
        """Within the budget; the last look before the locks are released may cost twice."""
        is_last = bool(ENDS.match(sql))
        if not (self._is_decided or is_last):
            return False
        return self._spent <= ALLOWANCE + SHARE * (now - self._opened) * (2 if is_last else 1)

    def took(self, seconds: float) -> None:
        self._spent += seconds

    def result(self, tag: str, seconds: float) -> None:
        """A command of the client has ended."""
        self._counted = ""
        self._is_decided |= tag not in UNDECIDED
        if tag not in NO_LOCKS and (tag != "SELECT" or seconds > QUIET):
            self._is_due = True

    def transaction_ended(self) -> None:
        self._is_due = self._is_decided = False
