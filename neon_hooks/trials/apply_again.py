"""Trial: run the tool a second time. Deployments are repeated, so there must be nothing left to do."""

from __future__ import annotations

from dataclasses import replace

from neon_hooks.database.inspect import difference
from neon_hooks.facts import UnitFacts
from neon_hooks.systems.base import System, kept
from neon_hooks.trials.place import Place, Start, look


def apply_again(system: System, facts: UnitFacts, place: Place, start: Start) -> UnitFacts:
    """Add what a second run did. Without a bookkeeping the first run's files would only run twice."""
    bookkeeping = kept(system, facts.unit)
    before = look(place, bookkeeping)
    run = start(place.dsn)
    after = look(place, bookkeeping)
    changes = (
        difference(tuple(sorted(before.ids)), tuple(sorted(after.ids))),
        difference(before.schema, after.schema),
    )
    return replace(facts, again=run, again_diff="\n".join(filter(None, changes)))
