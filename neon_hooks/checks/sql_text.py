"""What the text of a statement says, where no observation can tell. Pure.

No parser: the recorder says what a statement did, and the text only which of several ways it was asked for.
"""

from __future__ import annotations

import re
from functools import lru_cache

from neon_hooks.facts import Statement

LONGEST = 100_000  # characters; what comes after them is data
LITERAL_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
COMMENT = re.compile(r"('(?:[^']|'')*')|--[^\n]*|/\*.*?\*/", re.DOTALL)
TRANSACTION_CONTROL = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"})
DATA_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "COPY"})


def bare(statement: Statement) -> str:
    """In capitals, without comments, without literals. A DO block keeps its literals: it may execute them."""
    return _bare(statement.sql[:LONGEST])


@lru_cache(maxsize=50_000)
def _bare(sql: str) -> str:
    if re.match(r"\s*DO\b", sql, re.IGNORECASE):
        return " ".join(COMMENT.sub(lambda match: match[1] or " ", sql).upper().split())
    return " ".join(LITERAL_OR_COMMENT.sub(" ", sql).upper().split())


def tag(statement: Statement) -> str:
    """The server's command tag, else the first word or two."""
    if statement.tag:
        return statement.tag
    words = re.findall(r"[A-Z]+", bare(statement)[:200])
    return " ".join(words[: 2 if words[:1] in (["ALTER"], ["CREATE"], ["DROP"]) else 1])


def verb(statement: Statement) -> str:
    return tag(statement).partition(" ")[0]


def says(statement: Statement, pattern: str) -> bool:
    return re.search(pattern, bare(statement)) is not None


def is_control(statement: Statement) -> bool:
    """BEGIN, COMMIT and the like, of which a person does not think as statements of a migration."""
    return verb(statement) in TRANSACTION_CONTROL


def waits_only(statement: Statement) -> bool:
    """Nothing is made or changed: what a SELECT calls cannot be seen."""
    return verb(statement) in ("SELECT", "SET", "SHOW", "LOCK", "") or is_control(statement)


def changes_rows(statement: Statement) -> bool:
    return verb(statement) in DATA_CHANGES


def target(statement: Statement) -> str:
    """The table that an UPDATE or DELETE names, with its schema; "" when that cannot be read."""
    match = re.search(r"\b(?:UPDATE|DELETE FROM)\s+(?:ONLY\s+)?([\w.\"]+)", bare(statement))
    name = match[1].replace('"', "").lower() if match else ""
    return name if "." in name or not name else f"public.{name}"
