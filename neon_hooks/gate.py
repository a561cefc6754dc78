"""The story, top to bottom: where the pushed migrations are tried, what happens there, what that means.

The only place that joins the rooms. Data goes one way through it, and nothing is printed here. What is
pushed has been found before (pushed.py): this module and all that it loads are for pushes with migrations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from neon_hooks import systems
from neon_hooks.changes import Range
from neon_hooks.checks import judge
from neon_hooks.deadline import Deadline
from neon_hooks.errors import Interrupted, NeonHooksError, Unavailable, UsageError
from neon_hooks.facts import Facts, UnitFacts
from neon_hooks.git import Repository
from neon_hooks.offers import with_offers
from neon_hooks.outcome import Outcome
from neon_hooks.plan import Work
from neon_hooks.settings import Settings
from neon_hooks.stage import Stage
from neon_hooks.stopwatch import Stopwatch
from neon_hooks.texts import with_texts


@dataclass(frozen=True)
class Gate:
    """What every pushed range is validated with. ``say`` is told what is being waited for."""

    repository: Repository
    settings: Settings
    environ: Mapping[str, str]
    deadline: Deadline
    say: Callable[[str], None]

    def validate(self, pushed: Range, works: Sequence[Work]) -> Outcome:
        """The verdict on one range. Unavailable becomes the verdict unknown; UsageError and Interrupted do not."""
        units = tuple(UnitFacts(work) for work in works)
        facts = Facts(pushed, units, data=self.settings.data, limits=self.settings.limits)
        facts = replace(facts, stand_in=self.settings.is_local)
        check_data(facts, self.settings)
        problem, left_over = None, ""
        if any(needs_trial(work) for work in works):
            facts, problem, left_over = self.try_out(facts)
        facts, unread = self.read(facts)
        return Outcome(facts, judge(facts, self.settings.rules), problem or unread, left_over)

    def try_out(self, facts: Facts) -> tuple[Facts, Unavailable | None, str]:
        """Run what needs running on a test Neon database branch, which is gone when this returns.

        Returns what happened there, why that is not all, if so, and what could not be deleted.
        """
        watch = Stopwatch()
        stage = Stage(self.repository, facts.range, self.settings, self.environ, self.deadline, self.say, watch)
        units = list(facts.units)
        problem: Unavailable | None = None
        try:
            with watch("total"), stage.set_up([unit.work for unit in units if needs_trial(unit.work)]):
                facts = self.with_others(facts, stage)
                if any(step.failed for step in facts.earlier):
                    raise Unavailable("this push was not tried after the other one", fix="see what is said of that")
                for number, unit in enumerate(units):
                    if needs_trial(unit.work):
                        units[number] = stage.try_out(unit.work)
        except Unavailable as error:
            problem = error
        except (NeonHooksError, Interrupted) as error:
            error.left_over = stage.left_over
            raise
        version = max((unit.before.server_version for unit in units if unit.before), default=0)
        facts = replace(
            facts, units=tuple(units), neon_branch=stage.neon_branch, timings=watch.stages, server_version=version
        )
        return facts, problem, stage.left_over

    def with_others(self, facts: Facts, stage: Stage) -> Facts:
        """The facts with the pushes that this one may meet, or with what became of those that go before it."""
        if facts.range.after:
            with stage.watch("deploying the other first"):
                facts = replace(facts, earlier=stage.deployed_first())
        elif self.settings.trials.offers:
            with stage.watch("other pushes"):
                facts = with_offers(facts, self.repository, stage.other_runs())
        return facts

    def read(self, facts: Facts) -> tuple[Facts, Unavailable | None]:
        """The facts with what the migrations' texts say, and why they could not be read, if so."""
        tree = self.repository.tree(facts.range.target)
        try:
            units = tuple(with_texts(unit, tree, facts.server_version) for unit in facts.units)
        except Unavailable as error:
            return facts, error
        return replace(facts, units=units), None


def check_data(facts: Facts, settings: Settings) -> None:
    """Without rows a tool's bookkeeping is empty: it would begin with its first migration on a full schema."""
    kept = [unit.unit.system for unit in facts.units if systems.keeps_record(unit.unit)]
    if settings.data == "schema-only" and kept:
        raise UsageError(
            f'`data` is "schema-only", and the bookkeeping of {kept[0]} is in the rows that are left out',
            fix='set `data` to "full" or "anonymized"',
        )


def needs_trial(work: Work) -> bool:
    """Whether there is something to run: new migrations, models to compare with the old ones, or edits whose
    effect the bookkeeping can show.
    """
    return bool(work.pushed or work.models) or bool(work.edits and systems.keeps_record(work.unit))
