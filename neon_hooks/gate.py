"""The story, top to bottom: where the pushed migrations are tried, what happens there, what that means.

The only place that joins the rooms. Data goes one way through it, and nothing is printed here. What is
pushed has been found before (pushed.py): this module and all that it loads are for pushes with migrations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from neon_hooks import systems
from neon_hooks.before import before, earlier
from neon_hooks.changes import Range
from neon_hooks.checks import judge
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Interrupted, NeonHooksError, Unavailable, UsageError
from neon_hooks.facts import Earlier, Facts, UnitFacts
from neon_hooks.git import Repository
from neon_hooks.lacking import STAND_IN_LACKS, lack_of
from neon_hooks.neon.branch import TestNeonBranch, test_neon_branch
from neon_hooks.offers import with_offers
from neon_hooks.outcome import Outcome
from neon_hooks.plan import Unit, Work
from neon_hooks.queries import Known, known
from neon_hooks.settings import Settings
from neon_hooks.stopwatch import Stopwatch
from neon_hooks.texts import with_texts

if TYPE_CHECKING:
    from neon_hooks.workbench import Bench


FURTHER = 30.0  # seconds in which a further test Neon database branch must be there


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
        if not any(needs_trial(work) for work in works):
            facts, problem = self.read(facts)
            return Outcome(facts, judge(facts, self.settings.rules), problem)
        return self.try_out(facts)

    def read(self, facts: Facts) -> tuple[Facts, Unavailable | None]:
        """The facts with what the migrations' texts say, and why they could not be read, if so."""
        tree = self.repository.tree(facts.range.target)
        try:
            units = tuple(with_texts(unit, tree, facts.server_version) for unit in facts.units)
        except Unavailable as error:
            return facts, error
        return replace(facts, units=units), None

    def try_out(self, facts: Facts) -> Outcome:
        """Run what needs running on a test Neon database branch, which is gone when this returns."""
        queries = self.known_queries(facts)
        watch = Stopwatch()
        units = list(facts.units)
        neon_branch: TestNeonBranch | None = None
        further: list[TestNeonBranch] = []
        problem: Unavailable | None = None
        try:
            # The test Neon database branch goes first when this ends, before checkout and emulator.
            with watch("total"), ExitStack() as stack:
                settings = self.with_neon(facts, stack, watch)
                neon_branch = self.test_neon_branch(facts, settings)
                with neon_branch:  # entering asks for it; Neon works on it while we get ready
                    with watch("checkout and tools"):
                        works = [unit.work for unit in facts.units if needs_trial(unit.work)]
                        prepared = stack.enter_context(
                            self.bench(facts.range.target, works, settings, facts.range.base, queries)
                        )
                    if self.settings.trials.offers and not facts.range.after:
                        with watch("other pushes"):
                            facts = with_offers(facts, self.repository, neon_branch.other_runs)
                    if facts.range.after:
                        with watch("deploying the other first"):
                            facts = replace(facts, earlier=self.deployed_first(facts, neon_branch, settings))
                    if any(step.failed for step in facts.earlier):
                        raise Unavailable("this push was not tried after the other one", fix="see what is said of that")
                    for number, unit in enumerate(units):
                        if needs_trial(unit.work):
                            database = unit.unit.options.get("database", "")
                            with watch("waiting for Neon"):
                                dsn = neon_branch.dsn(database)
                            another = partial(self.another, facts, settings, unit.unit, further)
                            parent = partial(neon_branch.parent_dsn, database)
                            units[number] = prepared.try_out(unit.work, dsn, watch, another, parent)
                            check_tried(units[number], facts.stand_in)
        except Unavailable as error:
            problem = error
        except (NeonHooksError, Interrupted) as error:
            error.left_over = left_overs(neon_branch, *further)
            raise
        facts = replace(
            facts,
            units=tuple(units),
            neon_branch=neon_branch.facts if neon_branch and neon_branch.facts.id else None,
            timings=watch.stages,
            server_version=max((unit.before.server_version for unit in units if unit.before), default=0),
        )
        facts, unread = self.read(facts)
        return Outcome(facts, judge(facts, self.settings.rules), problem or unread, left_overs(neon_branch, *further))

    def with_neon(self, facts: Facts, stack: ExitStack, watch: Stopwatch) -> Settings:
        """The settings with a Neon to talk to: as they are, or those of an emulator for ``local``."""
        if not self.settings.is_local:
            return self.settings
        from neon_hooks.local import stand_in  # the emulator, which nobody else needs

        with watch("embedded Postgres"):
            return stack.enter_context(
                stand_in(self.repository, facts.range.deployed, self.settings, self.environ, self.deadline, self.say)
            )

    def test_neon_branch(
        self, facts: Facts, settings: Settings, deadline: Deadline | None = None
    ) -> TestNeonBranch:
        return test_neon_branch(
            settings,
            git_sha=facts.range.target,
            git_ref=facts.range.git_ref,
            deadline=deadline or self.deadline,
            say=self.say,
            connection_string=self.environ.get("DATABASE_URL", ""),
        )

    @contextmanager
    def another(self, facts: Facts, settings: Settings, unit: Unit, made: list[TestNeonBranch]) -> Iterator[Dsn]:
        """A second test Neon database branch, as main is, for the length of a ``with`` block."""
        neon_branch = self.test_neon_branch(facts, settings, Deadline.after(self.deadline.at_most(FURTHER)))
        made.append(neon_branch)
        with neon_branch:
            self.deployed_first(facts, neon_branch, settings)
            yield neon_branch.dsn(unit.options.get("database", ""))

    def known_queries(self, facts: Facts) -> Known:
        """Of the deployed code, which the main line describes, and of that which is pushed."""
        names, base = self.settings.trials.queries, facts.range.base
        if not names:
            return Known()
        return known(names, self.repository.tree(facts.range.target), self.repository.tree(base) if base else None)

    def bench(
        self, commit: str, works: Sequence[Work], settings: Settings, base: str | None = None, queries: Known = Known()
    ) -> AbstractContextManager[Bench]:
        from neon_hooks.workbench import bench  # psycopg takes a while to load, and Neon is at work by now

        return bench(
            self.repository,
            commit,
            works,
            settings=settings,
            environ=self.environ,
            deadline=self.deadline,
            say=self.say,
            base=base,
            queries=queries,
        )

    def deployed_first(self, facts: Facts, neon_branch: TestNeonBranch, settings: Settings) -> tuple[Earlier, ...]:
        """What became of the pushes that go before this one, none for most."""
        done: list[Earlier] = []
        bench = partial(self.bench, settings=settings)
        with closing(before(self.repository, facts.range, bench, settings)) as found:
            for git_ref, work, prepared in found:
                unit = prepared.deploy(work, neon_branch.dsn(work.unit.options.get("database", "")))
                check_tried(unit, facts.stand_in)
                done.append(earlier(git_ref, unit))
                if done[-1].failed:
                    break
        return tuple(done)


def left_overs(*neon_branches: TestNeonBranch | None) -> str:
    """What could not be deleted, in words."""
    return " ".join(each.left_over for each in neon_branches if each and each.left_over)


def check_data(facts: Facts, settings: Settings) -> None:
    """Without rows a tool's bookkeeping is empty: it would begin with its first migration on a full schema."""
    kept = [unit.unit.system for unit in facts.units if systems.keeps_record(unit.unit)]
    if settings.data == "schema-only" and kept:
        raise UsageError(
            f'`data` is "schema-only", and the bookkeeping of {kept[0]} is in the rows that are left out',
            fix='set `data` to "full" or "anonymized"',
        )


def check_tried(unit: UnitFacts, stand_in: bool) -> None:
    """What fails for want of something that is not there on this machine says nothing about the migration."""
    lack = lack_of(unit.first)
    if lack and (stand_in or not lack.on_server):
        where = "embedded Postgres" if lack.on_server else f"the environment that {unit.unit.system} runs in"
        raise Unavailable(f"{where} lacks {lack.what}", fix=STAND_IN_LACKS if lack.on_server else lack.fix)


def needs_trial(work: Work) -> bool:
    """Whether there is something to run: new migrations, models to compare with the old ones, or edits whose
    effect the bookkeeping can show.
    """
    return bool(work.pushed or work.models) or bool(work.edits and systems.keeps_record(work.unit))
