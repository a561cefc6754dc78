"""The pushed tree in a directory, the project's tools found, and one unit after another tried there.

Joins git, run and the trials for gate.py, and for local.py, which fills an emulated main in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from neon_hooks import systems
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import NotInstalled
from neon_hooks.facts import ToolRun, UnitFacts
from neon_hooks.git import Repository
from neon_hooks.plan import Script, Unit, Work
from neon_hooks.redact import Redactor
from neon_hooks.run import Prepared, execute, resolve
from neon_hooks.settings import Settings
from neon_hooks.stopwatch import Stopwatch
from neon_hooks.trials.apply import apply
from neon_hooks.trials.apply_again import apply_again
from neon_hooks.trials.place import Place, start_script
from neon_hooks.trials.replay import Replay, start_replay

Say = Callable[[str], None]
Tool = Prepared | Script | Replay


@dataclass(frozen=True)
class Bench:
    """A checkout, and what each unit's migrations are started with."""

    checkout: Path
    tools: tuple[tuple[Unit, Tool], ...]
    deadline: Deadline
    say: Say
    secrets: tuple[str, ...]

    def start(self, work: Work, dsn: Dsn) -> ToolRun:
        """Run the migrations of one unit in the database at ``dsn``."""
        tool = next(tool for unit, tool in self.tools if unit == work.unit)
        place = self.place(dsn)
        if isinstance(tool, Script):
            return start_script(tool, place)
        if isinstance(tool, Replay):
            return start_replay(tool, place)
        return execute(tool, dsn=dsn, deadline=self.deadline, redact=place.redact)

    def place(self, dsn: Dsn) -> Place:
        return Place(self.checkout, dsn, self.deadline, Redactor([*self.secrets, dsn.password]))

    def try_out(self, work: Work, dsn: Dsn, watch: Stopwatch) -> UnitFacts:
        """All trials of one unit, the later ones only when the migrations ran through."""
        system = systems.by_name(work.unit.system)
        place = self.place(dsn)
        self.say(f"running {work.unit.system} on the test Neon database branch")
        with watch("apply"):
            facts = apply(system, work, place, partial(self.start, work))
        if (facts.first and facts.first.exit_code) or system.bookkeeping is None:
            return facts
        self.say(f"running {work.unit.system} a second time")
        with watch("apply again"):
            return apply_again(system, facts, place, partial(self.start, work))


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
) -> Iterator[Bench]:
    """Check ``commit`` out and find every tool. Raises Unavailable when one cannot be run."""
    roots = [work.unit.root for work in works]
    dirs = [work.unit.migrations_dir for work in works]
    with (
        TemporaryDirectory(prefix="neon-hooks-") as scratch,
        repository.checkout(commit, roots=roots, dirs=dirs, scratch=Path(scratch)) as checkout,
    ):
        tools = tuple(
            (work.unit, _tool(work, repository, commit, checkout, settings, environ)) for work in works
        )
        yield Bench(checkout, tools, deadline, say, (settings.api_key,))


def _tool(
    work: Work,
    repository: Repository,
    commit: str,
    checkout: Path,
    settings: Settings,
    environ: Mapping[str, str],
) -> Tool:
    """What starts a unit's migrations: the project's own tool, or we ourselves for plain SQL."""
    how = systems.start_of(work)
    if isinstance(how, Script):
        return how
    try:
        return resolve(
            how,
            checkout=checkout,
            top=repository.top,
            root=work.unit.root,
            environ=environ,
            python=work.unit.options.get("python", ""),
            passthrough=settings.env_passthrough,
        )
    except NotInstalled as missing:
        if work.unit.options.get("command"):
            raise
        system = systems.by_name(work.unit.system)
        replay = Replay(system, work, repository.tree(commit), how.argv, missing)
        replay.steps(work.pushed)
        return replay
