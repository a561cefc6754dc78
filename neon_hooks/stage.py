"""Where one push is tried: its test Neon database branches, and the project's tools that stand ready beside them.

Knows how long each of them lives. What is tried there, and what that means, is the gate's to say (gate.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from neon_hooks.before import before, earlier
from neon_hooks.changes import Range
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Unavailable
from neon_hooks.facts import Earlier, NeonBranch, UnitFacts
from neon_hooks.git import Repository
from neon_hooks.lacking import STAND_IN_LACKS, lack_of
from neon_hooks.neon.branch import TestNeonBranch, test_neon_branch
from neon_hooks.plan import Unit, Work
from neon_hooks.queries import Known, known
from neon_hooks.settings import Settings
from neon_hooks.stopwatch import Stopwatch

if TYPE_CHECKING:
    from neon_hooks.workbench import Bench

FURTHER = 30.0  # seconds in which a further test Neon database branch must be there


@dataclass
class Stage:
    """``watch`` is told what takes how long."""

    repository: Repository
    range: Range
    settings: Settings
    environ: Mapping[str, str]
    deadline: Deadline
    say: Callable[[str], None]
    watch: Stopwatch
    _with_neon: Settings = field(init=False)  # with one to talk to
    _prepared: Bench = field(init=False)
    _made: list[TestNeonBranch] = field(default_factory=list)

    @contextmanager
    def set_up(self, works: Sequence[Work]) -> Iterator[None]:
        """Everything is there for the length of a ``with`` block, but for what Neon is still at work on."""
        # The test Neon database branch goes first when this ends, before checkout and emulator.
        with ExitStack() as stack:
            queries = self._known_queries()
            self._with_neon = self._find_neon(stack)
            with self._test_neon_branch(self.deadline):  # entering asks for it; Neon works on it while we get ready
                with self.watch("checkout and tools"):
                    bench = self._bench(self.range.target, works, base=self.range.base, queries=queries)
                    self._prepared = stack.enter_context(bench)
                yield

    def try_out(self, work: Work) -> UnitFacts:
        """All trials of one unit. Raises Unavailable where what fails is not the migration."""
        database = work.unit.options.get("database", "")
        with self.watch("waiting for Neon"):
            dsn = self._made[0].dsn(database)
        parent = partial(self._made[0].parent_dsn, database)
        return self._believed(self._prepared.try_out(work, dsn, self.watch, partial(self._another, work.unit), parent))

    def deployed_first(self) -> tuple[Earlier, ...]:
        """What becomes of the pushes that go before this one, none for most."""
        return self._deployed_first(self._made[0])

    def other_runs(self) -> list[tuple[str, str, str]]:
        """Name, git branch and commit of other pushes' test Neon database branches."""
        return self._made[0].other_runs

    @property
    def neon_branch(self) -> NeonBranch | None:
        """The first test Neon database branch, if it came to be."""
        return self._made[0].facts if self._made and self._made[0].facts.id else None

    @property
    def left_over(self) -> str:
        """What could not be deleted, in words."""
        return " ".join(each.left_over for each in self._made if each.left_over)

    def _known_queries(self) -> Known:
        """Of the deployed code, which the main line describes, and of that which is pushed."""
        names, base = self.settings.trials.queries, self.range.base
        if not names:
            return Known()
        return known(names, self.repository.tree(self.range.target), self.repository.tree(base) if base else None)

    def _find_neon(self, stack: ExitStack) -> Settings:
        """The settings as they are, or those of an emulator for ``local``."""
        if not self.settings.is_local:
            return self.settings
        from neon_hooks.local import stand_in  # the emulator, which nobody else needs

        with self.watch("embedded Postgres"):
            deployed = self.range.deployed
            return stack.enter_context(
                stand_in(self.repository, deployed, self.settings, self.environ, self.deadline, self.say)
            )

    def _test_neon_branch(self, deadline: Deadline) -> TestNeonBranch:
        made = test_neon_branch(
            self._with_neon,
            git_sha=self.range.target,
            git_ref=self.range.git_ref,
            deadline=deadline,
            say=self.say,
            connection_string=self.environ.get("DATABASE_URL", ""),
        )
        self._made.append(made)
        return made

    @contextmanager
    def _another(self, unit: Unit) -> Iterator[Dsn]:
        """A second test Neon database branch, as main is, for the length of a ``with`` block."""
        with self._test_neon_branch(Deadline.after(self.deadline.at_most(FURTHER))) as neon_branch:
            self._deployed_first(neon_branch)
            yield neon_branch.dsn(unit.options.get("database", ""))

    def _deployed_first(self, neon_branch: TestNeonBranch) -> tuple[Earlier, ...]:
        done: list[Earlier] = []
        with closing(before(self.repository, self.range, self._bench, self._with_neon)) as found:
            for git_ref, work, prepared in found:
                unit = prepared.deploy(work, neon_branch.dsn(work.unit.options.get("database", "")))
                done.append(earlier(git_ref, self._believed(unit)))
                if done[-1].failed:
                    break
        return tuple(done)

    def _bench(
        self, commit: str, works: Sequence[Work], base: str | None = None, queries: Known = Known()
    ) -> AbstractContextManager[Bench]:
        from neon_hooks.workbench import bench  # psycopg takes a while to load, and Neon is at work by now

        return bench(
            self.repository,
            commit,
            works,
            settings=self._with_neon,
            environ=self.environ,
            deadline=self.deadline,
            say=self.say,
            base=base,
            queries=queries,
        )

    def _believed(self, unit: UnitFacts) -> UnitFacts:
        """What fails for want of something that is not there on this machine says nothing about the migration."""
        lack = lack_of(unit.first)
        if lack and (self.settings.is_local or not lack.on_server):
            where = "embedded Postgres" if lack.on_server else f"the environment that {unit.unit.system} runs in"
            raise Unavailable(f"{where} lacks {lack.what}", fix=STAND_IN_LACKS if lack.on_server else lack.fix)
        return unit
