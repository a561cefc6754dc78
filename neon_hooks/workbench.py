"""The pushed tree in a directory, the project's tools found, and one unit after another tried there.

Joins git, run and the trials for gate.py, and for local.py, which fills an emulated main in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from neon_hooks import systems
from neon_hooks.database.copies import Copies
from neon_hooks.database.production import production_queries
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import NotInstalled, Unavailable
from neon_hooks.facts import History, ToolRun, UnitFacts
from neon_hooks.git import Repository
from neon_hooks.plan import Command, Comparison, Script, Unit, Work
from neon_hooks.queries import Known
from neon_hooks.redact import Redactor
from neon_hooks.run import Prepared, execute, resolve
from neon_hooks.settings import Settings
from neon_hooks.stopwatch import Stopwatch
from neon_hooks.systems.base import System, kept
from neon_hooks.trials.apply import apply
from neon_hooks.trials.apply_again import apply_again
from neon_hooks.trials.contents import contents, copies_of
from neon_hooks.trials.deployed import Habits, deployed, habits
from neon_hooks.trials.down_and_up import down_and_up, is_possible
from neon_hooks.trials.drift import Comparing, drift, has_time
from neon_hooks.trials.history import history, reason_against
from neon_hooks.trials.interruption import points_of
from neon_hooks.trials.place import Place, Sight, look, start_script
from neon_hooks.trials.replay import Replay, start_replay
from neon_hooks.trials.rerun import Interrupted, rerun

Say = Callable[[str], None]
Another = Callable[[], AbstractContextManager[Dsn]]
Tool = Prepared | Script | Replay
FURTHER = ("contents", "deployed code", "drift", "history", "down and up", "rerun")  # stages
AT_MOST = 1.9  # times what the run takes without them
CONTAINERS = ("docker", "docker-compose", "podman", "podman-compose", "nerdctl")  # as [[systems]] command


@dataclass(frozen=True)
class Tools:
    """What a unit's migrations are started with, and what is asked afterwards."""

    unit: Unit
    apply: Tool
    status: Prepared | None = None
    down: Prepared | Script | None = None
    comparing: Comparing | None = None
    whole: Callable[[], Tool] | None = None
    alone: bool = True


@dataclass(frozen=True)
class Bench:
    """A checkout, and the tools of each unit."""

    checkout: Path
    tools: tuple[Tools, ...]
    deadline: Deadline
    say: Say
    secrets: tuple[str, ...]
    records: bool = True
    history: bool | None = None  # the setting
    compared: int = 0  # rows up to which a table's contents are compared; 0: none are
    rerun: bool | None = None  # the setting
    cuts: int = 0
    queries: Known = Known()  # of the deployed code
    asks_production: bool = False  # for more of them
    inserts: bool = False

    def start(self, work: Work, dsn: Dsn, seconds: float = 0.0) -> ToolRun:
        """Run the migrations of one unit in the database at ``dsn``, in at most so many ``seconds``; 0: no limit."""
        return self._run(self._tools(work).apply, dsn, seconds)

    def resume(self, work: Work, path: str, dsn: Dsn, seconds: float = 0.0) -> ToolRun:
        """The same once more, after ``path`` was interrupted: files without a bookkeeping are run from there on."""
        tool = self._tools(work).apply
        if isinstance(tool, Script) and path in tool.paths:
            tool = replace(tool, paths=tool.paths[tool.paths.index(path) :])
        return self._run(tool, dsn, seconds)

    def _tools(self, work: Work) -> Tools:
        return next(tools for tools in self.tools if tools.unit == work.unit)

    def _run(self, tool: Tool, dsn: Dsn, seconds: float = 0.0) -> ToolRun:
        place = self.place(dsn)
        if isinstance(tool, Script):
            return start_script(tool, place)
        if isinstance(tool, Replay):
            return start_replay(tool, place)
        deadline = Deadline.after(self.deadline.at_most(seconds)) if seconds else self.deadline
        return execute(tool, dsn=dsn, deadline=deadline, redact=place.redact)

    def _left(self, watch: Stopwatch) -> float:
        """Seconds until the run takes twice as long as it would without further trials."""
        spent = self.deadline.seconds - self.deadline.remaining()
        further = sum(watch.stages.get(stage, 0.0) for stage in FURTHER) / 1000
        return max(0.0, AT_MOST * (spent - further) - spent)

    def place(self, dsn: Dsn, unrecorded: str = "") -> Place:
        return Place(self.checkout, dsn, self.deadline, Redactor([*self.secrets, dsn.password]), unrecorded)

    def _unrecorded(self, tool: Tool) -> str:
        """Why the flight recorder is left out."""
        if not self.records:
            return "`[trials] record` is false"
        if isinstance(tool, Prepared) and tool.command.argv[0] in CONTAINERS:
            return "in a container, 127.0.0.1 is not this machine, where the flight recorder listens"
        return ""

    def deploy(self, work: Work, dsn: Dsn) -> UnitFacts:
        """The migrations of one unit, run and proven, and nothing else: what is to be tried comes after them."""
        system = systems.by_name(work.unit.system)
        place = self.place(dsn, self._unrecorded(self._tools(work).apply))
        self.say(f"running {work.unit.system} for the push that goes first")
        return apply(system, work, place, look(place, kept(system, work.unit), tables=True), partial(self.start, work))

    def try_out(
        self, work: Work, dsn: Dsn, watch: Stopwatch, another: Another, parent: Callable[[], Dsn]
    ) -> UnitFacts:
        """All trials of one unit, the later ones only when the migrations ran through. ``another`` makes a further
        copy of production. ``parent`` tells where the database is that ``dsn`` is a copy of: only what it remembers
        is looked at, and that only if the settings say so.
        """
        system = systems.by_name(work.unit.system)
        place = self.place(dsn, self._unrecorded(self._tools(work).apply))
        self.say(f"running {work.unit.system} on the test Neon database branch")
        with watch("apply"):
            before = look(place, kept(system, work.unit), tables=True, refusals=system.refusals(work.unit))
        if before.refusals:  # the tool would say so too, some after minutes
            return UnitFacts(work, rows_before=before.rows, before=before.catalogue, refusals=before.refusals)
        with ExitStack() as stack:
            copies = None
            if self.compared:
                with watch("contents"):
                    copies = stack.enter_context(copies_of(work, place, before, self.compared))
            old = None
            if self.queries.queries or self.asks_production or self.inserts:
                with watch("deployed code"):
                    old = stack.enter_context(self._habits(system, work, place, before, parent))
            return self._tried(system, work, place, before, copies, old, watch, another)

    def _habits(
        self, system: System, work: Work, place: Place, before: Sight, parent: Callable[[], Dsn]
    ) -> AbstractContextManager[Habits]:
        queries, unread = self.queries, ""
        if self.asks_production:
            try:
                more = production_queries(parent())
                queries = queries.with_more(more.queries, more.skipped)
            except Unavailable as error:
                unread = error.message
        own = kept(system, work.unit)
        apart = (own.table,) if own else ()
        return habits(place, queries, before.catalogue, unread=unread, with_inserts=self.inserts, apart=apart)

    def _tried(
        self,
        system: System,
        work: Work,
        place: Place,
        before: Sight,
        copies: Copies | None,
        old: Habits | None,
        watch: Stopwatch,
        another: Another,
    ) -> UnitFacts:
        """``copies`` are of tables as they were ``before``, ``old`` is what worked then."""
        comparing = self._tools(work).comparing
        with watch("apply"):
            facts = apply(system, work, place, before, partial(self.start, work))
        if self.compared:
            with watch("contents"):
                facts = contents(facts, copies)
        if facts.first and facts.first.exit_code:
            return facts
        if old:
            with watch("deployed code"):
                facts = deployed(facts, place, old)
        points = points_of(facts, thorough=bool(self.rerun)) if self.rerun is not False else ()
        finished = look(place, kept(system, work.unit)) if points else before
        if system.bookkeeping is not None and (work.pushed or work.edits):
            self.say(f"running {work.unit.system} a second time")
            with watch("apply again"):
                facts = apply_again(system, facts, place, partial(self.start, work))
        tools = self._tools(work)
        if tools.status:
            with watch("status"):
                facts = replace(facts, status=self._run(tools.status, place.dsn))
        if comparing and has_time(facts, place):
            self.say(f"comparing the models with the {work.unit.system} migrations")
            with watch("drift"):
                facts = drift(facts, place, comparing, another)
        if tools.whole and has_time(facts, place):
            with watch("history"):
                reason = reason_against(facts, self.history, tools.alone)
                self.say(f"running all {work.unit.system} migrations on an empty database")
                start = partial(self._run, tools.whole()) if not reason else None
                facts = history(facts, place, start) if start else replace(facts, history=History(reason=reason))
        if tools.down and is_possible(system, facts, place, before):
            self.say(f"taking the {work.unit.system} migrations back, and applying them once more")
            with watch("down and up"):
                down, up = partial(self._run, tools.down), partial(self.start, work)
                times = systems.steps_back(work)
                facts = down_and_up(
                    system, facts, place, before, down=down, times=times, up=up,
                    copies=copies, most_rows=self.compared,
                )  # fmt: skip
        if points:
            self.say(f"interrupting the {work.unit.system} migrations, and starting again")
            with watch("rerun"):
                start, resume = partial(self.start, work), partial(self.resume, work)
                facts = rerun(
                    system, facts, place, points, before=before, finished=finished,
                    tool=Interrupted(start, resume), another=another, most=self.cuts,
                    seconds=None if self.rerun else self._left(watch),
                )  # fmt: skip
        return facts


@contextmanager
def bench(
    repository: Repository,
    commit: str,
    works: Sequence[Work],
    *,
    settings: Settings,
    environ: Mapping[str, str],
    deadline: Deadline,
    say: Say,
    base: str | None = None,
    queries: Known = Known(),
) -> Iterator[Bench]:
    """Check ``commit`` out and find every tool. Raises Unavailable when one cannot be run.

    ``base`` is the commit that models are compared at, to tell what is new; ``queries`` are known of the deployed code.
    """
    roots = [work.unit.root for work in works]
    dirs = [work.unit.migrations_dir for work in works]
    with (
        ExitStack() as stack,
        TemporaryDirectory(prefix="neon-hooks-") as scratch,
        repository.checkout(commit, roots=roots, dirs=dirs, scratch=Path(scratch)) as checkout,
    ):

        @cache
        def search_base() -> ToolSearch | None:
            """The same for what the main line has, checked out when somebody asks for it."""
            if base is None:
                return None
            place = Path(stack.enter_context(TemporaryDirectory(prefix="neon-hooks-")))
            earlier = stack.enter_context(repository.checkout(base, roots=roots, dirs=dirs, scratch=place))
            return ToolSearch(repository, base, earlier, settings, environ)

        found = ToolSearch(repository, commit, checkout, settings, environ, search_base)
        trials = settings.trials
        yield Bench(
            checkout, tuple(map(found.tools, works)), deadline, say, (settings.api_key,),
            trials.record, trials.history, settings.limits.compared if trials.contents else 0, trials.rerun, trials.cuts,
            queries, trials.production_queries, trials.inserts,
        )  # fmt: skip


@dataclass(frozen=True)
class ToolSearch:
    """Where the tools of units are looked for."""

    repository: Repository
    commit: str
    checkout: Path
    settings: Settings
    environ: Mapping[str, str]
    base: Callable[[], ToolSearch | None] = lambda: None

    def tools(self, work: Work) -> Tools:
        status = systems.status_of(work.unit)
        apply = self._apply(work)
        return Tools(
            work.unit,
            apply,
            self._prepared(status, work.unit) if status else None,
            self._down(work, apply) if self.settings.trials.down_and_up else None,
            self._comparing(work) if self.settings.trials.drift else None,
            partial(self._apply, replace(work, pushed=work.history)) if self._runs_history(work) else None,
            len(systems.detect(self.repository.tree(self.commit), self.settings)) == 1,
        )

    def _runs_history(self, work: Work) -> bool:
        """Where a schema is made from migrations, and not from models alone."""
        is_pushed_whole = all(migration.repeatable or migration.replaces for migration in work.history)
        return self.settings.trials.history is not False and bool(work.pushed) and not is_pushed_whole

    def _comparing(self, work: Work) -> Comparing | None:
        unit = work.unit
        how = systems.comparison_of(unit, self.repository.tree(self.commit))
        if how is None:
            return None
        tool = self.comparison(unit, how)
        if how.builds and not work.models:
            return Comparing(how, tool, lambda: (how, tool))
        return Comparing(how, tool, partial(self._comparison_at_base, unit))

    def comparison(self, unit: Unit, how: Comparison) -> Prepared | None:
        try:
            return self._prepared(how.command, unit)
        except NotInstalled:
            return None

    def _comparison_at_base(self, unit: Unit) -> tuple[Comparison, Prepared | None] | None:
        search = self.base()
        if search is None:
            return None
        how = systems.comparison_of(unit, search.repository.tree(search.commit))
        return (how, search.comparison(unit, how)) if how else None

    def _down(self, work: Work, apply: Tool) -> Prepared | Script | None:
        """What takes the migrations back: a command of the settings, else the program that has applied them."""
        how = systems.way_back(work, self.repository.tree(self.commit))
        if how is None or isinstance(how, Script):
            return how
        if work.unit.options.get("down"):
            return self._prepared(how, work.unit)
        return replace(apply, command=how) if isinstance(apply, Prepared) else None

    def _apply(self, work: Work) -> Tool:
        """What starts a unit's migrations: the project's own tool, or we ourselves for plain SQL."""
        how = systems.start_of(work)
        if isinstance(how, Script):
            return how
        try:
            return self._prepared(how, work.unit)
        except NotInstalled as missing:
            if work.unit.options.get("command"):
                raise
            system = systems.by_name(work.unit.system)
            replay = Replay(system, work, self.repository.tree(self.commit), how.argv, missing)
            replay.steps(work.pushed)
            return replay

    def _prepared(self, command: Command, unit: Unit) -> Prepared:
        return resolve(
            command,
            checkout=self.checkout,
            top=self.repository.top,
            root=unit.root,
            environ=self.environ,
            python=unit.options.get("python", ""),
            passthrough=self.settings.env_passthrough,
        )
