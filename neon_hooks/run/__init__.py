"""Starts the project's own migration tool, pointed at the test Neon database branch and nowhere else.

Two steps: ``resolve`` finds out how (before a branch exists, so that a missing interpreter costs
nothing), ``execute`` does it. Knows commands and processes; what a migration is, only plan.py's data say.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import DeadlineExceeded, Unavailable
from neon_hooks.facts import ToolRun
from neon_hooks.lifetime import shielded
from neon_hooks.plan import Command
from neon_hooks.run import interpreter, journal
from neon_hooks.run.environment import Flooded, flood
from neon_hooks.run.journal import Journal, attribute
from neon_hooks.run.names import dotenv_values, names_read
from neon_hooks.run.process import Finished, run

__all__ = ["Prepared", "attribute", "execute", "resolve"]

SHIMS = Path(__file__).parent / "shims"
FAMILIES = ("python",)


@dataclass(frozen=True)
class Prepared:
    """A command that can be started. Its repr does not repeat the values of the environment."""

    command: Command
    program: str
    checkout: Path
    top: Path
    root: str
    url_scheme: str
    environ: Mapping[str, str] = field(repr=False)
    dotenv: Mapping[str, str] = field(repr=False)
    mentioned: Mapping[str, str] = field(repr=False)
    passthrough: tuple[str, ...] = ()

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
    """Find out how ``command`` can be started. Raises Unavailable when no interpreter will do.

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
    nowhere = Dsn("127.0.0.1", "none")
    probing = flood(
        environ, dotenv={}, mentioned={}, dsn=nowhere, passthrough=passthrough, prefix=hook_prefix()
    )
    with _private_directory(Command(("python",), command.family)) as private:
        variables = {**probing.variables, "PYTHONPATH": _first(private, probing)}
        found = interpreter.find(command.module, top, root, variables, python)
    return Prepared(
        command=command, program=found.path, checkout=checkout, top=top, root=root,
        url_scheme=found.url_scheme, environ=dict(environ), dotenv=values,
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
    with _private_directory(prepared.command) as private:
        started = time.time()
        done = _run(prepared, _environment(prepared, flooded, dsn, private), private, deadline)
        seen = journal.read(private / "journal", started=started, redact=redact)
    if done.exit_code is None:
        raise deadline.exceeded(_what_was_running(prepared, seen))
    return ToolRun(
        argv=prepared.command.argv, exit_code=done.exit_code, ms=round(done.seconds * 1000, 1),
        output=redact(done.output), statements=seen.statements, replaced=flooded.replaced,
        redirected=seen.redirected, connections=seen.connections,
    )  # fmt: skip


def _run(prepared: Prepared, environment: Mapping[str, str], private: Path, deadline: Deadline) -> Finished:
    argv = [prepared.program, *(word.replace("{files}", str(private)) for word in prepared.command.argv[1:])]
    try:
        return run(argv, directory=prepared.directory, deadline=deadline, environment=environment)
    except DeadlineExceeded:  # the alarm clock was quicker
        return Finished(None, "", 0.0)
    except OSError as error:
        raise Unavailable(
            f"cannot start {prepared.program}: {error.strerror}",
            fix="[[systems]] python names another interpreter",
        ) from None


def hook_prefix() -> str:
    """This hook's own virtual environment, "" when it is installed into a system's Python."""
    return sys.prefix if sys.prefix != sys.base_prefix else ""


def _places(checkout: Path, top: Path, root: str) -> list[Path]:
    """Where .env files may lie, the weaker first: outer before inner, the work tree before the commit."""
    parts = Path(root).parts
    inner = [Path(*parts[:depth]) for depth in range(len(parts) + 1)]
    return [base / part for part in inner for base in dict.fromkeys((top, checkout))]


@contextmanager
def _private_directory(command: Command) -> Iterator[Path]:
    """A directory that only we can read, with the shim and the command's files; first on the search path."""
    with shielded():
        private = Path(tempfile.mkdtemp(prefix="neon-hooks-"))
    try:
        for shim in (SHIMS / command.family).glob("*.py"):
            shutil.copyfile(shim, private / shim.name)
        for name, text in command.files.items():
            (private / name).write_text(text, encoding="utf-8")
        yield private
    finally:
        with shielded():
            shutil.rmtree(private, ignore_errors=True)


def _environment(prepared: Prepared, flooded: Flooded, dsn: Dsn, private: Path) -> dict[str, str]:
    own = {
        name: value.replace("{files}", str(private)) for name, value in prepared.command.environment.items()
    }
    return {
        **flooded.variables,
        **own,
        "PYTHONPATH": _first(private, flooded),
        "PWD": str(prepared.directory),
        "NEON_HOOKS_TARGET": dsn.uri(),
        "NEON_HOOKS_JOURNAL": str(private / "journal"),
        "NEON_HOOKS_TOP": str(prepared.top),
        "NEON_HOOKS_CHECKOUT": str(prepared.checkout),
    }


def _first(private: Path, flooded: Flooded) -> str:
    return os.pathsep.join(part for part in (str(private), flooded.variables.get("PYTHONPATH", "")) if part)


def _what_was_running(prepared: Prepared, seen: Journal) -> str:
    what = f"`{' '.join(prepared.command.argv)}`"
    if seen.unfinished:
        statement = " ".join(seen.unfinished.split())
        what += f", which was executing: {statement[:200]}{'...' if len(statement) > 200 else ''}"
    return what
