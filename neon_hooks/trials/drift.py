"""Trial: let the tool compare the models with the migrations. Code that is deployed with columns that no migration
makes fails at its first query.

What differed before the push is told apart: the same comparison, at the base commit, is made when something
differs. A tool that compares with the database needs one for that in which the pushed migrations have not run: a
further test Neon database branch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import DeadlineExceeded, Unavailable
from neon_hooks.facts import Agreement, Compared, Drift, ToolRun, UnitFacts
from neon_hooks.plan import Comparison
from neon_hooks.run import Prepared, execute
from neon_hooks.trials.place import Place

SHARE = 0.4  # of the time that is left: before the migrations run there is no verdict yet, afterwards one to lose
RUNS = 3  # as long as the first one: this one, the one at the base, and one to spare
ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # of a Python object: another one in each process


@dataclass(frozen=True)
class Comparing:
    """``tool`` is None where it is not installed. ``at_base`` says how it is done there; None: there is no base."""

    how: Comparison
    tool: Prepared | None
    at_base: Callable[[], tuple[Comparison, Prepared | None] | None]

    def now(self, place: Place) -> Compared:
        return _compared(self.how, self.tool, place)

    def earlier(self, place: Place) -> Compared | None:
        found = self.at_base()
        return _compared(*found, place) if found else None


def has_time(facts: UnitFacts, place: Place) -> bool:
    """A slow tool must not lose the verdict that there is already."""
    return facts.first is None or facts.first.ms * RUNS < place.deadline.remaining() * 1000


def drift(
    facts: UnitFacts, place: Place, comparing: Comparing, another: Callable[[], AbstractContextManager[Dsn]]
) -> UnitFacts:
    """Add what the tool says. ``another`` makes a further copy of production."""
    now = comparing.now(place)
    earlier = _earlier(facts, place, comparing, another) if now.agreement is Agreement.DIFFERENT else None
    return replace(facts, drift=Drift(now, earlier))


def _earlier(
    facts: UnitFacts, place: Place, comparing: Comparing, another: Callable[[], AbstractContextManager[Dsn]]
) -> Compared | None:
    if not comparing.how.by_database:
        return comparing.earlier(place)
    if not facts.rows_before:  # main has none of these migrations: all is new
        return None
    try:
        with another() as dsn:
            return comparing.earlier(replace(place, dsn=dsn))
    except Unavailable:
        if not place.deadline.remaining():
            raise
        return Compared(Agreement.UNKNOWN)


def _compared(how: Comparison, tool: Prepared | None, place: Place) -> Compared:
    if tool is None:
        return Compared(Agreement.UNKNOWN)
    deadline = Deadline.after(place.deadline.remaining() * SHARE)
    try:
        return read(how, execute(tool, dsn=place.dsn, deadline=deadline, redact=place.redact))
    except DeadlineExceeded:
        place.deadline.check("the comparison of models and migrations")
        return Compared(Agreement.UNKNOWN, slow_ms=deadline.seconds * 1000)


def read(how: Comparison, run: ToolRun) -> Compared:
    """What a run of the tool says."""
    if re.search(how.differs, run.output, re.MULTILINE):
        found = tuple(dict.fromkeys(_differences(how, run.output)))
        return Compared(Agreement.DIFFERENT, found or tuple(run.output.strip().splitlines()[-1:]), run)
    if how.nothing and re.search(how.nothing, run.output, re.MULTILINE):
        return Compared(Agreement.NOTHING, (), run)
    return Compared(Agreement.UNKNOWN if run.exit_code else Agreement.SAME, (), run)


def _differences(how: Comparison, output: str) -> Iterator[str]:
    """One after the other, each with the heading that it stands under."""
    heading = ""
    for line in output.splitlines():
        if how.heading and re.match(how.heading, line):
            heading = line.strip().rstrip(":") + ": "
        else:
            for match in re.finditer(how.difference, line):
                if match[0].strip():
                    yield heading + ADDRESS.sub("", match[0].strip())
