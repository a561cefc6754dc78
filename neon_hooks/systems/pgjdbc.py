"""How the JDBC driver of Postgres prints an error's other fields, whichever tool passes them on."""

from __future__ import annotations

import re

from neon_hooks.facts import DatabaseError

# Maven puts its level in front; Liquibase puts the statement behind.
WORDS = {
    name: re.compile(
        rf"^(?:\[ERROR\] )?\s*{name.capitalize()}: (.*?)(?: \[Failed SQL: .*)?$", re.MULTILINE
    )
    for name in ("detail", "hint", "position")
}


def database_error(sqlstate: str, message: str, output: str, after: int) -> DatabaseError:
    """``after`` is where the message ends in the tool's ``output``: the other fields follow it."""
    found = {
        name: match[1].strip() for name, word in WORDS.items() if (match := word.search(output, after))
    }
    position = found.pop("position", "0")
    return DatabaseError(
        sqlstate, message.strip(), position=int(position) if position.isdigit() else 0, **found
    )
