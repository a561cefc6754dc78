"""Trial: run the tool a second time. Deployments are repeated, so there must be nothing left to do."""

from __future__ import annotations

from dataclasses import replace

from neon_hooks.facts import UnitFacts
from neon_hooks.systems.base import System, kept
from neon_hooks.trials.place import Place, Start, changed, look


def apply_again(system: System, facts: UnitFacts, place: Place, start: Start) -> UnitFacts:
    """Add what a second run did. Without a bookkeeping the first run's files would only run twice."""
    bookkeeping = kept(system, facts.unit)
    before = look(place, bookkeeping)
    run = start(place.dsn)
    return replace(facts, again=run, again_diff=changed(before, look(place, bookkeeping)))
