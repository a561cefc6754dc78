"""Trial: the whole history on an empty database. A new developer, a test run and a second region begin there, and
must come to the schema that production has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from neon_hooks.database.empty import empty_database
from neon_hooks.database.inspect import difference
from neon_hooks.facts import History, UnitFacts
from neon_hooks.trials.place import Place, Start, look

ACL = re.compile(r" acl \{.*")
SET_UP = ("default acl ", "extension ", "comment on extension ", "publication ", "event trigger ")
SHORT = 20  # migrations; a longer history is only run where the settings ask for it


def reason_against(facts: UnitFacts, wanted: bool | None, alone: bool) -> str:
    """Why the history is not run, "" for none. ``alone``: no other migration system can have made main's schema."""
    count = len(facts.work.history)
    if not alone:
        return "another migration system of this repository may share the database"
    if wanted is None and count > SHORT:
        return f"it has {count} migrations, and more than {SHORT} are only run with `[trials] history = true`"
    return ""


def history(facts: UnitFacts, place: Place, start: Start) -> UnitFacts:
    """Add what became of it: the run, and what differs from main with the push (``-``: only there)."""
    with empty_database(place.dsn, place.deadline) as dsn:
        if dsn is None:
            return replace(facts, history=History(reason="the role may not create a database"))
        run = start(dsn)
        if run.exit_code:
            return replace(facts, history=History(run))
        made = look(replace(place, dsn=dsn), None)
    return replace(facts, history=History(run, difference(_made(look(place, None).schema), _made(made.schema))))


def _made(schema: Sequence[str]) -> tuple[str, ...]:
    """The lines of what migrations make. Roles' rights, extensions and the like are set up with the database."""
    return tuple(ACL.sub("", line) for line in schema if not line.startswith(SET_UP))
