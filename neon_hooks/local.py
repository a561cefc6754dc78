"""``NEON_API_HOST=local``: an emulated Neon inside this process, whose main is made for the occasion.

The client talks to it over HTTP as it does to Neon: there is one path. Main is what the base commit's
migrations make of an empty database, or what a SQL dump says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from neon_hooks import systems
from neon_hooks.changes import Changes, Range
from neon_hooks.database.execute import run_files
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator
from neon_hooks.emulator.binaries import find
from neon_hooks.errors import Unavailable, UsageError
from neon_hooks.facts import ToolRun
from neon_hooks.git import Repository
from neon_hooks.plan import Unit, Work
from neon_hooks.settings import Settings
from neon_hooks.tree import Tree
from neon_hooks.workbench import bench

Say = Callable[[str], None]


@contextmanager
def stand_in(
    repository: Repository,
    base: str | None,
    settings: Settings,
    environ: Mapping[str, str],
    deadline: Deadline,
    say: Say,
) -> Iterator[Settings]:
    """The settings with the address and the key of an emulator whose main stands at ``base``.

    Raises Unavailable when there is no Postgres to run, or when main cannot be made.
    """
    say("starting embedded Postgres")
    with Emulator(postgres=find(settings.local.postgres)) as emulator:
        if settings.local.dump:
            say(f"loading {settings.local.dump}")
            _load(repository.top / settings.local.dump, emulator.main)
        elif base:
            say("making main from the base commit's migrations")
            _migrate(repository, base, settings, environ, deadline, say, emulator.main)
        yield replace(
            settings,
            api_host=emulator.api_host,
            api_key=emulator.api_key,
            project_id=emulator.project_id,
            parent="",
            role="",
            database="",
        )


def _load(dump: Path, main: Dsn) -> None:
    try:
        text = dump.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"[local] dump: cannot read {dump.name}: {error}", fix="name a readable SQL file") from None

    def read(name: str, including: str) -> str:
        return (dump.parent / name).read_text(encoding="utf-8")

    (run,) = run_files(main, [(dump.name, text)], read=read, single_transaction=False)
    if run.error:
        raise UsageError(
            f"[local] dump: {dump.name}:{run.statements[-1].line}: {run.error.message}",
            fix="make it with pg_dump --no-owner --no-privileges; embedded Postgres has few extensions",
        )


def _migrate(
    repository: Repository,
    base: str,
    settings: Settings,
    environ: Mapping[str, str],
    deadline: Deadline,
    say: Say,
    main: Dsn,
) -> None:
    """Run every migration of ``base`` on main, which is nobody's production here."""
    tree = repository.tree(base)
    everything = Changes(Range(None, base, "local"), ())
    works = [systems.work_for(unit, tree, None, everything) for unit in systems.detect(tree, systems.those_there(tree, settings))]
    works = [work for work in works if work.pushed]
    with bench(
        repository, base, works, settings=settings, environ=environ, deadline=deadline, say=say
    ) as workbench:
        for work in works:
            _check(work, workbench.start(work, main))


def _check(work: Work, run: ToolRun) -> None:
    """Raise Unavailable when main could not be made: nothing can be said about the push then."""
    if not run.exit_code:
        return
    failed = run.failed
    said = failed.error.message if failed and failed.error else " ".join(run.output.strip().splitlines()[-1:])
    raise Unavailable(
        f"the base commit's {work.unit.system} migrations do not run on an empty database: {said}",
        fix="give main's schema as a SQL dump: `[local] dump` in the settings",
    )
