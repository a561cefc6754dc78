"""Starts the project's own migration tool, pointed at the test Neon database branch and nowhere else.

Two steps: ``resolve`` finds out how (before a branch exists, so that a missing interpreter costs
nothing), ``execute`` does it. Knows commands and processes; what a migration is, only plan.py's data say.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import DeadlineExceeded, Unavailable
from neon_hooks.facts import ToolRun
from neon_hooks.plan import Command
from neon_hooks.run import journal, placeholders
from neon_hooks.run.environment import Flooded, flood
from neon_hooks.run.families import FAMILIES
from neon_hooks.run.families.base import Search
from neon_hooks.run.journal import Journal, attribute
from neon_hooks.run.names import dotenv_values, names_read
from neon_hooks.run.private import SHIMS, loading, private_directory
from neon_hooks.run.process import Finished, run

__all__ = ["SHIMS", "Prepared", "attribute", "execute", "resolve"]


@dataclass(frozen=True)
class Prepared:
    """A command that can be started. Its repr does not repeat the values of the environment."""

    command: Command
    prefix: tuple[str, ...]
    checkout: Path
    top: Path
    root: str
    url_scheme: str
    environ: Mapping[str, str] = field(repr=False)
    dotenv: Mapping[str, str] = field(repr=False)
    mentioned: Mapping[str, str] = field(repr=False)
    passthrough: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        return self.prefix[0]

    @property
    def directory(self) -> Path:
        return self.checkout / self.root


def resolve(
    command: Command,
    *,
    checkout: Path,
    top: Path,
    root: str,
    environ: Mapping[str, str],
    python: str = "",
    passthrough: Sequence[str] = (),
) -> Prepared:
    """Find out how ``command`` can be started. Raises NotInstalled when its program is not there.

    checkout:     the tree of the pushed commit, in which the tool runs
    top:          the user's own work tree, where virtual environments and .env files lie
    root:         the unit's directory, relative to both
    python:       the setting ``[[systems]] python``
    passthrough:  the setting ``env_passthrough``
    """
    if command.family not in FAMILIES:
        raise Unavailable(
            f"cannot start {command.argv[0]}: the family {command.family!r} is not known",
            fix=f"known families: {', '.join(FAMILIES)}",
        )
    values, names = dotenv_values(_places(checkout, top, root))
    _refuse(command, values)
    nowhere = Dsn("127.0.0.1", "none")
    probing = flood(
        environ, dotenv={}, mentioned={}, dsn=nowhere, passthrough=passthrough, prefix=hook_prefix()
    )
    placeholders.check(command.argv)
    with private_directory() as private:
        variables = {**probing.variables, **loading(private, probing.variables)}
        found = FAMILIES[command.family](command, Search(checkout, top, root, variables, python))
    return Prepared(
        command=command, prefix=found.argv, checkout=checkout, top=top, root=root,
        url_scheme=found.scheme, environ=dict(environ), dotenv=values,
        mentioned={**names_read(checkout / root), **names}, passthrough=tuple(passthrough),
    )  # fmt: skip


def execute(prepared: Prepared, *, dsn: Dsn, deadline: Deadline, redact: Callable[[str], str]) -> ToolRun:
    """Run the tool against ``dsn`` to its end.

    The tool sees the test Neon database branch as the only Postgres, and no secret. ``redact`` is applied
    to everything that is returned. Raises DeadlineExceeded, naming the statement that was running, and
    Unavailable when the program cannot be started.
    """
    flooded = flood(
        prepared.environ, dotenv=prepared.dotenv, mentioned=prepared.mentioned, dsn=dsn,
        scheme=prepared.url_scheme, passthrough=prepared.passthrough, prefix=hook_prefix(),
    )  # fmt: skip
    with private_directory() as private:
        words = placeholders.values(
            dsn, scheme=_scheme(prepared), private=private, checkout=prepared.checkout, root=prepared.root
        )
        for name, text in prepared.command.files.items():
            (private / name).write_text(placeholders.fill(text, words), encoding="utf-8")
        for name, path in prepared.command.links.items():
            (private / name).symlink_to(placeholders.fill(path, words))
        argv = [*prepared.prefix, *(placeholders.fill(word, words) for word in prepared.command.argv[1:])]
        started = time.time()
        done = _run(prepared, argv, _environment(prepared, flooded, dsn, private, words), deadline)
        seen = journal.read(private / "journal", started=started, redact=redact)
    if done.exit_code is None:
        raise deadline.exceeded(_what_was_running(prepared, seen))
    return ToolRun(
        argv=prepared.command.argv, exit_code=done.exit_code, ms=round(done.seconds * 1000, 1),
        output=redact(done.output), statements=seen.statements, replaced=flooded.replaced,
        redirected=seen.redirected, connections=seen.connections,
    )  # fmt: skip


def _refuse(command: Command, dotenv: Mapping[str, str]) -> None:
    """A tool that reads .env files itself would put back what must not be set."""
    for name in command.unset:
        if name in dotenv:
            raise Unavailable(
                f"{command.argv[0]} cannot be started with {name}, which a .env file of the project sets",
                fix=f"remove {name} from the file",
            )


def _scheme(prepared: Prepared) -> str:
    schemes = prepared.command.url_schemes
    return prepared.url_scheme if prepared.command.family == "python" else schemes[0]


def _run(
    prepared: Prepared, argv: Sequence[str], environment: Mapping[str, str], deadline: Deadline
) -> Finished:
    try:
        return run(argv, directory=prepared.directory, deadline=deadline, environment=environment)
    except DeadlineExceeded:  # the alarm clock was quicker
        return Finished(None, "", 0.0)
    except OSError as error:
        raise Unavailable(
            f"cannot start {prepared.program}: {error.strerror}",
            fix="[[systems]] python names another interpreter, [[systems]] command another program",
        ) from None


def hook_prefix() -> str:
    """This hook's own virtual environment, "" when it is installed into a system's Python."""
    return sys.prefix if sys.prefix != sys.base_prefix else ""


def _places(checkout: Path, top: Path, root: str) -> list[Path]:
    """Where .env files may lie, the weaker first: outer before inner, the work tree before the commit."""
    parts = Path(root).parts
    inner = [Path(*parts[:depth]) for depth in range(len(parts) + 1)]
    return [base / part for part in inner for base in dict.fromkeys((top, checkout))]


def _environment(
    prepared: Prepared, flooded: Flooded, dsn: Dsn, private: Path, words: Mapping[str, str]
) -> dict[str, str]:
    own = {name: placeholders.fill(value, words) for name, value in prepared.command.environment.items()}
    variables = {**flooded.variables, **own}
    # Go's lib/pq insists on TLS where nobody says otherwise; a Postgres on this machine may have none.
    if "sslmode" not in dsn.params:
        variables.setdefault("PGSSLMODE", placeholders.sslmode(dsn))
    for name in prepared.command.unset:
        variables.pop(name, None)
    return {
        **variables,
        **loading(private, variables),
        "PWD": str(prepared.directory),
        "NEON_HOOKS_TARGET": dsn.uri(),
        "NEON_HOOKS_JOURNAL": str(private / "journal"),
        "NEON_HOOKS_TOP": str(prepared.top),
        "NEON_HOOKS_CHECKOUT": str(prepared.checkout),
    }


def _what_was_running(prepared: Prepared, seen: Journal) -> str:
    what = f"`{' '.join(prepared.command.argv)}`"
    if seen.unfinished:
        statement = " ".join(seen.unfinished.split())
        what += f", which was executing: {statement[:200]}{'...' if len(statement) > 200 else ''}"
    return what
