"""``NEON_API_HOST=local``: an emulated Neon inside this process, whose main is made for the occasion.

The client talks to it over HTTP as it does to Neon: there is one path. Main is what the base commit's
migrations make of an empty database, or what a SQL dump says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from neon_hooks import systems
from neon_hooks.changes import Changes, Range
from neon_hooks.database.connect import connect
from neon_hooks.database.execute import run_files
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import Emulator
from neon_hooks.emulator.binaries import find
from neon_hooks.errors import Unavailable, UsageError
from neon_hooks.facts import ToolRun
from neon_hooks.git import Repository
from neon_hooks.lacking import STAND_IN_LACKS, lack_of
from neon_hooks.plan import Work
from neon_hooks.settings import Settings
from neon_hooks.workbench import bench

TROUBLE = re.compile(r"\berror\b|exception|cannot|could not|failed", re.IGNORECASE)
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
        _create_roles(emulator.main, settings.local.roles)
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
            trials=replace(settings.trials, production_queries=False),  # main is nobody's production here
        )


def _create_roles(main: Dsn, roles: Sequence[str]) -> None:
    with closing(connect(main)) as connection:
        for role in roles:
            name = role.replace('"', '""')
            connection.execute(f'CREATE ROLE "{name}"'.encode())
            connection.execute(f'GRANT "{name}" TO CURRENT_USER'.encode())  # so that it can own objects
            connection.execute(f'GRANT CREATE ON SCHEMA public TO "{name}"'.encode())


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
    failed, lack = run.failed, lack_of(run)
    if failed and failed.error:
        where = f"{failed.path}:{failed.line}: " if failed.path else ""
        said = f"{where}{failed.error.message}"
    else:
        said = _telling(run.output)
    fix = "give main's schema as a SQL dump: `[local] dump` in the settings"
    if lack:
        fix = f"{STAND_IN_LACKS if lack.on_server else lack.fix}; or {fix}"
    raise Unavailable(
        f"the base commit's {work.unit.system} migrations do not run on an empty database: {said}", fix=fix
    )


def _telling(output: str) -> str:
    """The line of a tool's output that says what was wrong: Python ends with it, others begin with it."""
    lines = output.strip().splitlines() or ["it says nothing"]
    if any(line.startswith("Traceback ") for line in lines):
        return lines[-1]
    return next((line.strip() for line in lines if TROUBLE.search(line)), lines[-1].strip())
